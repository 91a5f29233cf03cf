"""The wallet page: free money, money held for jobs, every movement."""

import re
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from frontend.session import requester_page
from labeling.models import LabelingJob
from marketplace.models import Account, Posting
from marketplace.services import wallets

PER_PAGE = 50
JOB = re.compile(r"labeling-job:(\d+)")


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """Balance and statement."""
    account = request.account  # type: ignore[attr-defined]
    statement = Paginator(wallets.statement(account=account), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": statement,
        "rows": _named(account, list(statement)),
        "balance": wallets.balance(account=account),
        "held": wallets.held(account=account),
    }
    return render(request, "requester/wallet.html", context)


def _named(account: Account, postings: list[Posting]) -> list[dict[str, Any]]:
    """The movements, with the labeling job each belongs to."""
    found = [JOB.search(posting.entry.description) for posting in postings]
    numbers = {int(match[1]) for match in found if match}
    names = dict(LabelingJob.objects.filter(account=account, pk__in=numbers).values_list("pk", "name"))
    rows = []
    for posting, match in zip(postings, found, strict=True):
        job_id = int(match[1]) if match and int(match[1]) in names else None
        what = posting.entry.description
        if job_id is not None:
            what = "Held for open tasks" if posting.amount_micros < 0 else "Returned: not needed"
        rows.append({"posting": posting, "what": what or "Booking", "job_id": job_id, "job_name": names.get(job_id)})
    return rows
