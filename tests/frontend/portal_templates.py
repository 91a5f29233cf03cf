"""Worker templates of the portal that page queries are counted for."""

from django.urls import reverse

from labeling.models import TemplateVersion, WorkerTemplate
from labeling.services.jobs import kept_templates
from marketplace.models import User
from tests.frontend.portal import Portal


def template_pages(portal: Portal) -> dict[str, tuple[User, str]]:
    """What lists worker templates and their versions: name -> (user, path)."""
    owner = portal.account.members.order_by("pk")[0]
    first = WorkerTemplate.objects.order_by("pk")[0].pk
    return {
        "templates": (owner, reverse("requester:templates")),
        "template": (owner, reverse("requester:template", args=[first])),
        "templates_api": (owner, "/api/v1/worker-templates"),
        "versions_api": (owner, f"/api/v1/worker-templates/{first}/versions"),
    }


def a_template_more(portal: Portal) -> None:
    """Add a worker template, and a version of the first one."""
    number = TemplateVersion.objects.count()
    draft = kept_templates.Draft(text=f"<crowd-form>{number}</crowd-form>")
    kept_templates.create(account=portal.account, name=f"survey-{number}", draft=draft, by="system")
    first = WorkerTemplate.objects.order_by("pk")[0]
    kept_templates.add_version(template=first, draft=draft, by="system")
