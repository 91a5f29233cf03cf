"""Worker templates that an account keeps: names, and versions that are only ever added.

A template that does not work yet may be kept, too; the design of a job asks whether it works.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.db.models import BooleanField, ExpressionWrapper, Max, Q, QuerySet, TextField, Value
from django.db.models.functions import Replace
from django.utils import timezone

from labeling import transitions
from labeling.models import LabelingJob, QueueTemplate, TemplateVersion, WorkerTemplate
from labeling.services.jobs import limits
from labeling.services.jobs.templates import HOST
from marketplace import strict
from marketplace.errors import DomainError, Invalid, LimitExceeded, NameTaken, NotFound, WrongState
from marketplace.models import Account
from marketplace.names import check_name
from marketplace.ranges import Range
from marketplace.services import audit

SAMPLE_LENGTH = Range(0, 100_000)
"""Characters of the JSON of a sample."""

MOST_TEMPLATES = 500
"""Templates of an account."""

MOST_VERSIONS = 1000
"""Versions of a template."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a version holds; `sample` is JSON text, "" for none."""

    text: str
    script_hosts: list[str] = field(default_factory=list)
    sample: str = ""


def read_sample(text: str) -> dict[str, Any] | None:
    """The sample in a text, None in an empty one. Raises Invalid for what is no JSON object."""
    if not text.strip():
        return None
    try:
        found = strict.read_json(text)
    except strict.NotJson as error:
        raise Invalid(str(error), field="sample") from None
    except DomainError as error:
        raise Invalid(f"{error.field or 'the sample'}: {error.message}", field="sample") from None
    if not isinstance(found, dict):
        raise Invalid("a JSON object expected", field="sample")
    return found


def templates_of(account: Account) -> QuerySet[WorkerTemplate]:
    """The templates of an account, each with the number of its newest version as `newest` and its time as `kept_at`;
    `archived` says whether it is in the archive."""
    return WorkerTemplate.objects.filter(account=account).annotate(
        newest=Max("versions__number"),
        kept_at=Max("versions__created_at"),
        archived=ExpressionWrapper(Q(archived_at__isnull=False), output_field=BooleanField()),
    )


def template(account: Account, template_id: int) -> WorkerTemplate:
    """A template of the account, as `templates_of` gives it. Raises NotFound."""
    found = templates_of(account).filter(pk=template_id).first()
    if found is None:
        raise NotFound(f"the account has no worker template {template_id}")
    return found


def version(account: Account, template_id: int, number: int | None = None) -> TemplateVersion:
    """A version of a template of the account with its template loaded; the newest without a number. Raises NotFound."""
    rows = TemplateVersion.objects.select_related("template")
    rows = rows.filter(template=template_id, template__account=account)
    found = (rows if number is None else rows.filter(number=number)).order_by("-number").first()
    if found is None:
        what = "" if number is None else f" with a version {number}"
        raise NotFound(f"the account has no worker template {template_id}{what}")
    return found


def create(*, account: Account, name: str, draft: Draft, by: str) -> TemplateVersion:
    """Keep a template under a new name. Raises Invalid, NameTaken, LimitExceeded."""
    check_name(name)
    _check(draft)
    try:
        with transaction.atomic():
            if WorkerTemplate.objects.filter(account=account).count() >= MOST_TEMPLATES:
                raise LimitExceeded(f"an account keeps at most {MOST_TEMPLATES} worker templates")
            kept = WorkerTemplate.objects.create(account=account, name=name)
            return _add(kept, 1, draft, by)
    except IntegrityError:
        raise NameTaken(f"the account has a worker template {name!r} already", field="name") from None


def add_version(*, template: WorkerTemplate, draft: Draft, by: str) -> TemplateVersion:
    """Keep a draft as the newest version, unless it equals that. Raises Invalid, LimitExceeded, and WrongState for a
    template in the archive."""
    _check(draft)
    with transaction.atomic():
        locked = _locked(template)
        require_in_use(locked)
        newest = locked.versions.order_by("-number")[0]
        if Draft(text=newest.text, script_hosts=newest.script_hosts, sample=newest.sample) == draft:
            return newest
        if newest.number >= MOST_VERSIONS:
            raise LimitExceeded(f"a worker template has at most {MOST_VERSIONS} versions; keep it under another name")
        return _add(locked, newest.number + 1, draft, by)


def used_by(template: WorkerTemplate) -> list[str]:
    """The names of the account's jobs that are not over and show the text of one of its versions."""
    # Browsers send a text with other line ends than it was kept with.
    versions = TemplateVersion.objects.filter(template=template).annotate(plain=_with_line_feeds("text"))
    shown = QueueTemplate.objects.annotate(plain=_with_line_feeds("text")).filter(
        queue__account=template.account_id, plain__in=versions.values("plain")
    )
    jobs = LabelingJob.objects.exclude(status__in=transitions.LABELING_JOB.final)
    return list(jobs.filter(queue__in=shown.values("queue")).order_by("name").values_list("name", flat=True))


def delete(*, template: WorkerTemplate, by: str) -> list[str]:
    """Delete a template with all of its versions, or put it into the archive while jobs that are not over use it.

    Returns the names of these jobs, [] where it was deleted. Jobs have a copy of their own, and lose nothing.
    """
    with transaction.atomic():
        locked = _locked(template)
        if jobs := used_by(locked):
            if locked.archived_at is None:
                locked.archived_at = timezone.now()
                locked.save(update_fields=["archived_at"])
                _record(locked, by, "archived")
            return jobs
        _record(locked, by, "deleted")
        locked.delete()
        return []


def restore(*, template: WorkerTemplate, by: str) -> None:
    """Take a template out of the archive. Safe to repeat."""
    with transaction.atomic():
        locked = _locked(template)
        if locked.archived_at is not None:
            locked.archived_at = None
            locked.save(update_fields=["archived_at"])
            _record(locked, by, "restored")


def require_in_use(template: WorkerTemplate) -> None:
    """Raises WrongState for a template in the archive."""
    if template.archived_at is not None:
        raise WrongState(f"the worker template {template.name} is in the archive; restore it first", field="template")


def _locked(template: WorkerTemplate) -> WorkerTemplate:
    found = WorkerTemplate.objects.select_for_update().filter(pk=template.pk).first()
    if found is None:
        raise NotFound(f"the account has no worker template {template.pk}")
    return found


def _record(template: WorkerTemplate, by: str, because: str) -> None:
    audit.record(template, by=by, because=f"worker template {template.name} {because}")


def _with_line_feeds(column: str) -> Replace:
    return Replace(column, Value("\r\n"), Value("\n"), output_field=TextField())


def _add(kept: WorkerTemplate, number: int, draft: Draft, by: str) -> TemplateVersion:
    return TemplateVersion.objects.create(
        template=kept,
        number=number,
        text=draft.text,
        script_hosts=draft.script_hosts,
        sample=draft.sample,
        created_by=by,
    )


def _check(draft: Draft) -> None:
    if len(draft.text) not in limits.TEMPLATE_LENGTH:
        raise Invalid(f"{len(draft.text):,} characters found, {limits.TEMPLATE_LENGTH} expected", field="template")
    if not draft.text.strip():
        raise Invalid("the template is empty", field="template")
    if len(draft.script_hosts) not in limits.SCRIPT_HOSTS:
        raise Invalid(f"{len(draft.script_hosts)} found, {limits.SCRIPT_HOSTS} expected", field="script_hosts")
    for place, host in enumerate(draft.script_hosts):
        if len(host) not in limits.SCRIPT_HOST_LENGTH or not HOST.fullmatch(host):
            reason = f"{host[:100]!r} found, a host such as cdn.example.org expected"
            raise Invalid(reason, field=f"script_hosts[{place}]")
    if len(draft.sample) not in SAMPLE_LENGTH:
        raise Invalid(f"{len(draft.sample):,} characters found, {SAMPLE_LENGTH} expected", field="sample")
    read_sample(draft.sample)


def sample_text(sample: dict[str, Any] | None) -> str:
    """A sample as the text to keep, "" for none."""
    return orjson.dumps(sample, option=orjson.OPT_INDENT_2).decode() if sample is not None else ""
