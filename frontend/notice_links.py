"""Which page shows what a notice is about. Knows the pages of every room; neither REST nor requests."""

from collections.abc import Callable

from django.urls import reverse

from labeling import subjects as work
from learning import subjects as machines
from marketplace.models import Notice
from marketplace.services import event_sending, funds, invoices, payouts, wallet_refunds, webhook_sending

PAGES: dict[str, Callable[[Notice], str]] = {
    payouts.PAYOUT: lambda notice: reverse("worker:earnings"),
    invoices.SUBJECT: lambda notice: reverse("vendor:invoice", args=[notice.subject_id]),
    wallet_refunds.WALLET_REFUND: lambda notice: reverse("requester:wallet"),
    funds.WALLET: lambda notice: reverse("requester:wallet"),
    event_sending.DESTINATION: lambda notice: reverse("requester:event-destination", args=[notice.subject_id]),
    webhook_sending.WEBHOOK: lambda notice: _webhook(notice),
    work.LABELING_JOB: lambda notice: reverse("requester:job", args=[notice.subject_id]),
    machines.TRAINING_JOB: lambda notice: reverse("requester:training", args=[notice.subject_id]),
    machines.TRANSFORM_JOB: lambda notice: reverse("requester:transform", args=[notice.subject_id]),
    machines.TUNING_JOB: lambda notice: reverse("requester:tuning", args=[notice.subject_id]),
    machines.ENDPOINT: lambda notice: f"{reverse('requester:endpoints')}?id={notice.subject_id}",
    work.FLOW_DEFINITION: lambda notice: reverse("requester:human-review"),
    machines.IMPROVEMENT_POLICY: lambda notice: f"{reverse('requester:improvement-policies')}?id={notice.subject_id}",
    work.WORK_QUEUE: lambda notice: reverse("worker:jobs"),
    work.PUBLIC_WORK: lambda notice: reverse("worker:jobs"),
    work.REVIEWING: lambda notice: reverse("worker:reviews"),
    work.ANSWER_REVIEW: lambda notice: reverse("worker:history"),
    work.PRICE_CHANGE: lambda notice: reverse("worker:jobs"),
    work.CONDUCT_FINDING: lambda notice: reverse("worker:conduct"),
    work.CONDUCT_APPEAL: lambda notice: reverse("requester:conduct"),
    work.CONDUCT_FLAG: lambda notice: reverse("operator:flags"),
    work.BONUS: lambda notice: reverse("worker:earnings"),
    work.APPEAL: lambda notice: reverse("requester:appeals") if notice.account_id else reverse("worker:history"),
}
"""The page about a subject, by the subject's type."""


def page_of(notice: Notice) -> str:
    """The path of the page that a notice leads to, "" for none."""
    if notice.link:
        return notice.link
    page = PAGES.get(notice.subject_type)
    return page(notice) if page is not None else ""


def _webhook(notice: Notice) -> str:
    room = "requester:webhook" if notice.account_id else "person:webhook"
    return reverse(room, args=[notice.subject_id])
