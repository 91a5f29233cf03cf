"""The job after a job: opens the wizard filled in, to go on from an output or to have its labels looked at."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend.requester.job_new import suggest
from frontend.requester.label_fields import CONFIG, document_of
from frontend.session import requester_page
from labeling import task_types
from labeling.models import LabelingJob
from labeling.services import scope
from labeling.services.jobs import chaining
from labeling.task_types.base import TaskType
from marketplace.errors import Invalid
from marketplace.models import Account, Role
from marketplace.names import following_name


@require_POST
@requester_page(Role.MEMBER)
def follow(request: HttpRequest, job_id: int) -> HttpResponse:
    """Fill the wizard in for a job on the output of this one; `task_type` names what looks at its labels, if any."""
    account: Account = request.account  # type: ignore[attr-defined]
    job = scope.job(account, job_id)
    if reason := chaining.refusal(job):
        raise Invalid(reason)
    wanted = request.POST.get("task_type", "")
    kind = next((one for one in chaining.audits_of(job) if one.name == wanted), None)
    if wanted and kind is None:
        raise Invalid(f"the labels of {job.name} cannot be looked at in this way", field="task_type")
    suggest(request, data=_data(account, job, kind), task=_task(job, kind))
    return redirect("requester:job-new-step", "data")


def _data(account: Account, job: LabelingJob, kind: TaskType[Any, Any] | None) -> dict[str, Any]:
    """Of a job that has not labeled everything the rest is asked for, under the same name, as Ground Truth chains."""
    rest = kind is None and not chaining.labeled_all(job)
    name = following_name(job.name, set(scope.jobs(account).values_list("name", flat=True)))
    own = f"{name}-ref" if (kind or task_types.get(job.task_type)).label_is_file else ""
    return {
        "name": name,
        "chained_job": job.pk,
        "label_attribute_name": job.label_attribute_name if rest else own,
        **_selection(job, kind),
    }


def _selection(job: LabelingJob, kind: TaskType[Any, Any] | None) -> dict[str, str]:
    """All objects; of a verification those with the last of its verdicts, which mostly is the worst."""
    if kind is None or chaining.looked_at(job)[1] == job.label_attribute_name:
        return {"selection": "full"}
    verdict = job.labels[-1].replace("'", "''")
    return {"selection": "filter", "where": f'"{job.label_attribute_name}-metadata"."class-name" = \'{verdict}\''}


def _task(job: LabelingJob, kind: TaskType[Any, Any] | None) -> dict[str, Any]:
    if kind is None:
        said = {part: job.instructions.get(part, "") for part in ("short", "full")}
        made = {"task_type": job.task_type, "title": job.title, "description": job.description, **said}
        made["audit_label_attribute_name"] = job.audit_label_attribute_name
        template = chaining.template_of(job)
        made |= {"template": template.text, "hosts": " ".join(template.script_hosts)} if template is not None else {}
        return made | {"labels": job.labels, CONFIG: document_of(job)}
    return {
        "task_type": kind.name,
        "labels": list(kind.usual_labels) or chaining.classes_of(job),
        CONFIG: document_of(job) if kind.attributed else "",
        "title": gettext(kind.title),
        "description": gettext("Look at the labels that others have made."),
        "audit_label_attribute_name": chaining.looked_at(job)[1],
    }
