"""The number of queries of the most used pages and of the API's lists does not grow with the rows."""

import pytest
from django.urls import reverse

from labeling.models import LabelImport
from marketplace.models import (
    QualificationType,
    User,
    WebhookEndpoint,
)
from tests.frontend import events_world, trainings_world
from tests.frontend.portal import (
    Portal,
    a_portal,
    grow,
    pages,
    people_pages,
    qualification_pages,
    queries_of,
    told_pages,
)
from tests.frontend.portal_panels import a_session_more, panel_pages
from tests.frontend.portal_templates import a_template_more, template_pages

pytestmark = pytest.mark.django_db
LISTS = (
    "labeling-jobs",
    "datasets",
    "workteams",
    "models",
    "model-groups",
    "model-imports",
    "transform-jobs",
    "training-jobs",
    "endpoints",
    "endpoint-configs",
    "tuning-jobs",
    "improvement-policies",
    "improvement-policies/first/runs",
    "improvement-policies/first/images",
    "members",
    "tokens",
    "access-keys",
    "wallet/statement",
    "wallet/statements",
    "refunds",
    "invitations",
    "blocks",
    "label-imports",
    "appeals",
    "audit-events",
    "webhooks",
    "events",
    "event-destinations",
    "me/webhooks",
    "identity-providers",
    "me/notices",
    "findings",
    "qualification-types",
)
WORKERS_LISTS = (
    "work",
    "earnings",
    "earnings/statements",
    "earnings/hourly",
    "assignments",
    "payouts",
    "me/invitations",
    "worker/teams",
    "worker/answers",
    "worker/appeals",
    "me/notices",
    "worker/findings",
    "worker/accuracies",
    "worker/qualifications",
    "worker/closed-work",
)


@pytest.fixture
def portal(db) -> Portal:
    """Two rows of everything, because with one row a query per row looks like one for all rows."""
    portal = a_portal()
    grow(portal)
    return portal


def asked(wanted: dict[str, tuple[User, str]]) -> dict[str, list[str]]:
    return {name: queries_of(user, path) for name, (user, path) in wanted.items()}


def compare(before: dict[str, list[str]], after: dict[str, list[str]]) -> None:
    grown = {name: (len(few), len(after[name])) for name, few in before.items() if len(after[name]) > len(few)}
    assert not grown, f"queries for few rows and for twice as many: {grown}"


def all_pages(portal: Portal) -> dict[str, tuple[User, str]]:
    owner = portal.account.members.order_by("pk")[0]
    imports = {
        "imports": (owner, reverse("requester:dataset-imports")),
        "import": (owner, reverse("requester:dataset-import", args=[first_import(portal)])),
        "import_new": (owner, reverse("requester:dataset-import-new")),
    }
    groups = {
        "page": pages(portal),
        "people": people_pages(portal),
        "told": told_pages(portal),
        "trainings": trainings_world.pages(portal.account),
        "qualifications": qualification_pages(portal),
        "imports": imports,
    }
    return {f"{group}: {name}": page for group, found in groups.items() for name, page in found.items()}


def test_pages_with_more_rows_make_as_many_queries(portal):
    assert len(pages(portal)) == 35
    before = asked(all_pages(portal))
    for _ in range(2):
        grow(portal)
    compare(before, asked(all_pages(portal)))


def test_pages_of_panels_and_of_worker_templates_with_more_rows_make_as_many_queries(portal):
    def more() -> dict[str, list[str]]:
        for _ in range(2):
            a_session_more(portal)
            a_template_more(portal)
        return asked(panel_pages(portal) | template_pages(portal))

    compare(more(), more())


def test_rest_lists_with_more_rows_make_as_many_queries(portal):
    owner, worker = portal.account.members.order_by("pk")[0], portal.workers[0].user
    lists = {name: (owner, f"/api/v1/{name}") for name in LISTS} | {
        name: (worker, f"/api/v1/{name}") for name in WORKERS_LISTS
    }
    lists["bonuses"] = (owner, f"/api/v1/labeling-jobs/{portal.job.pk}/bonuses")
    lists["all refunds"] = (portal.operator, "/api/v1/operator/refunds")
    first = QualificationType.objects.order_by("pk")[0].pk
    lists["qualifications"] = (owner, f"/api/v1/qualification-types/{first}/qualifications")
    lists["operator_types"] = (portal.operator, "/api/v1/operator/qualification-types")
    lists["providers"] = (portal.operator, "/api/v1/operator/identity-providers")
    lists["users"] = (portal.operator, "/api/v1/users")
    lists["objects"] = (owner, f"/api/v1/labeling-jobs/{portal.job.pk}/objects")
    lists["reviews"] = (owner, f"/api/v1/labeling-jobs/{portal.job.pk}/answer-reviews")
    lists["reviewers"] = (owner, f"/api/v1/labeling-jobs/{portal.job.pk}/reviewers")
    lists["reviewed"] = (portal.reviewer.user, "/api/v1/worker/reviews")
    lists["answers to review"] = (portal.reviewer.user, f"/api/v1/worker/reviews/{portal.job.queue_id}/answers")
    hook = WebhookEndpoint.objects.filter(account=portal.account).order_by("pk")[0]
    lists["deliveries"] = (owner, f"/api/v1/webhooks/{hook.pk}/deliveries")
    lists |= events_world.lists(portal.account, owner)
    lists["accuracies"] = (owner, f"/api/v1/labeling-jobs/{portal.job.pk}/accuracies")
    lists["flags"] = (portal.operator, "/api/v1/operator/findings")
    lists["exports"] = (owner, f"/api/v1/labeling-jobs/{portal.job.pk}/exports")
    lists["imported_lines"] = (owner, f"/api/v1/label-imports/{first_import(portal)}/lines")
    before = asked(lists)
    for _ in range(2):
        grow(portal)
    compare(before, asked(lists))


def first_import(portal: Portal) -> int:
    return LabelImport.objects.filter(account=portal.account).order_by("pk")[0].pk
