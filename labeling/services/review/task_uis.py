"""Human task UIs: the worker templates of human loops, as CreateHumanTaskUi and its siblings keep them."""

import hashlib
import re

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from labeling import task_types
from labeling.formats import template
from labeling.models import HumanTaskUi
from labeling.services.jobs.templates import template_errors
from marketplace import arns
from marketplace.errors import Invalid, LimitExceeded, NameTaken, NotFound
from marketplace.models import Account
from marketplace.ranges import Range
from marketplace.services import audit, quotas

TASK_TYPE = task_types.FORM
"""What people of a human loop give: a form of any fields."""

NAME = r"^[a-z0-9](-*[a-z0-9]){0,62}$"
"""The names of human task UIs, flow definitions and human loops: HumanTaskUiName, FlowDefinitionName, HumanLoopName."""

NAME_LENGTH = Range(1, 63)
"""Characters of such a name."""

CONTENT_LENGTH = Range(1, template.MAX_TEMPLATE)
"""Characters of a template (UiTemplate.Content)."""

MOST = 500
"""Human task UIs of an account."""


def name_problem(name: object) -> str:
    """Why this is no name for a human task UI, a flow definition or a human loop; "" when it is one."""
    if isinstance(name, str) and len(name) in NAME_LENGTH and re.fullmatch(NAME, name):
        return ""
    return f"{name!r} found, 1 to 63 small letters, digits and inner hyphens expected"


def task_uis(account: Account) -> QuerySet[HumanTaskUi]:
    """Those of the account."""
    return HumanTaskUi.objects.filter(account=account).select_related("account")


def task_ui(account: Account, name: str) -> HumanTaskUi:
    """The account's human task UI of this name. Raises NotFound."""
    found = task_uis(account).filter(name=name).first()
    if found is None:
        raise NotFound(f"the account has no human task UI {name!r}")
    return found


def create_task_ui(*, account: Account, name: str, content: str, by: str) -> HumanTaskUi:
    """Keep a worker template for human loops; it never changes.

    Raises Invalid naming what is wrong with the name or, with its line, the template, NameTaken, LimitExceeded.
    """
    errors = [("name", problem)] if (problem := name_problem(name)) else []
    if len(content) not in CONTENT_LENGTH:
        errors.append(("content", f"{len(content)} characters found, {CONTENT_LENGTH} expected"))
    else:
        kind = task_types.get(TASK_TYPE)
        found = template_errors(kind, content, [], public=False)
        errors += [("content" if field == "template" else field, reason) for field, reason in found]
    if errors:
        raise Invalid("the human task UI cannot be created", errors=errors)
    if task_uis(account).count() >= MOST:
        raise LimitExceeded(f"an account has at most {MOST} human task UIs")
    try:
        with transaction.atomic():
            quotas.require(account=account, kind="human-task-ui", rows=task_uis(account))
            made = HumanTaskUi.objects.create(account=account, name=name, text=content, created_by=by)
            audit.record(made, by=by, because="created")
    except IntegrityError as error:
        if "human_task_ui_name_once" not in str(error):
            raise
        raise NameTaken(f"the account has a human task UI {name!r} already", field="name") from None
    return made


def delete_task_ui(*, task_ui: HumanTaskUi, by: str) -> None:
    """Delete it; flow definitions that use it keep their copy of the template."""
    with transaction.atomic():
        audit.record(task_ui, by=by, because=f"deleted {task_ui.name}")
        task_ui.delete()


def content_hash(task_ui: HumanTaskUi) -> str:
    """The SHA-256 of the template as hexadecimal digits (UiTemplate.ContentSha256)."""
    return hashlib.sha256(task_ui.text.encode()).hexdigest()


def arn(task_ui: HumanTaskUi) -> str:
    """The ARN of a human task UI."""
    return arns.build("human-task-ui", task_ui.account.number, task_ui.name, region=settings.REGION)
