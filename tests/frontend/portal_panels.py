"""The pages of panels in a portal that grows, for the tests that count queries."""

from django.urls import reverse

from marketplace.models import Panel, User
from tests.frontend.portal import Portal
from tests.labeling import panel_stories, stories


def a_session_more(portal: Portal) -> None:
    """Add a panel with a job and a completed session, and the same to the first panel."""
    panel = panel_stories.a_panel(portal.account, tasks_per_session=1)
    job = panel_stories.a_job_of(panel, objects=1)
    first = Panel.objects.filter(account=portal.account).order_by("pk")[0]
    for where, at in ((panel, job), (first, panel_stories.a_job_of(first, objects=1))):
        session = panel_stories.begin(where, at, f"p{panel.pk}").session
        assert session is not None
        stories.claim_and_answer(session.worker, at)


def panel_pages(portal: Portal) -> dict[str, tuple[User, str]]:
    """Pages of panels: name -> (user, path)."""
    owner = portal.account.members.order_by("pk")[0]
    first = Panel.objects.filter(account=portal.account).order_by("pk")[0]
    return {
        "panels": (owner, reverse("requester:panels")),
        "panel": (owner, reverse("requester:panel", args=[first.pk])),
        "panels_api": (owner, "/api/v1/panels"),
        "panel_api": (owner, f"/api/v1/panels/{first.pk}"),
        "sessions_api": (owner, f"/api/v1/panels/{first.pk}/sessions"),
    }
