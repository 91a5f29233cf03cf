"""The Lambda functions that labeling jobs name: AWS's built-in ones stand for task types, others for functions here."""

import re
from typing import Any

from labeling import task_types
from labeling.services.functions import choosing
from marketplace import arns
from marketplace.errors import Invalid

PRE, CONSOLIDATE = "PRE-", "ACS-"
"""How the names of AWS's functions begin: before people are asked, and to make labels of their answers."""

PASS_THROUGH = "PassThrough"
"""AWS's function of jobs with a page of one's own."""

# Where AWS has its functions, by region.
ACCOUNTS = {
    "us-east-1": "432418664414",
    "us-east-2": "266458841044",
    "us-west-2": "081040173940",
    "ca-central-1": "918755190332",
    "eu-west-1": "568282634449",
    "eu-west-2": "487402164563",
    "eu-central-1": "203001061592",
    "ap-northeast-1": "477331159723",
    "ap-northeast-2": "845288260483",
    "ap-south-1": "565803892007",
    "ap-southeast-1": "377565633583",
    "ap-southeast-2": "454466003867",
}
_NAME = re.compile(r"arn:aws[a-z\-]*:lambda:[a-z0-9\-]*:[0-9]{12}:function:([^:]+)(?::[^:]+)?")
_HUMAN_TASK_UI = re.compile(r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]+:[0-9]{12}:human-task-ui/(\w+)")


def built_in(arn: str, begin: str) -> str | None:
    """The task type that one of AWS's functions is for, of whichever region and account; None for another function."""
    name = _name(arn)
    return name.removeprefix(begin) if name.startswith(begin) else None


def task_type(pre: str | None, consolidate: str | None, human_task_ui: str | None) -> str:
    """The task type that a job's functions, or AWS's page for it, select.

    Raises Invalid for functions of different types and for a type that is not there.
    """
    named = [
        kind
        for kind in (
            built_in(pre, PRE) if pre else None,
            built_in(consolidate, CONSOLIDATE) if consolidate else None,
            _page_of(human_task_ui),
        )
        if kind is not None
    ]
    if len(set(named)) > 1:
        raise Invalid(
            f"its functions are for different task types: {', '.join(dict.fromkeys(named))}", field="task_type"
        )
    name = named[0] if named and named[0] != PASS_THROUGH else task_types.FORM
    try:
        return task_types.get(name).name
    except task_types.UnknownTaskType as error:
        raise Invalid(str(error), field="task_type") from None


def own(arn: str | None, begin: str) -> str:
    """The Python function that the operator allows under the name of a Lambda function; "" for a built-in one.

    Raises Invalid, naming no field, when there is none of that name, or more than one.
    """
    if arn is None or built_in(arn, begin) is not None:
        return ""
    wanted = _plain(_name(arn))
    found = [path for path in choosing.allowed() if wanted in (_plain(path), _plain(path.rpartition(".")[2]))]
    if len(found) != 1:
        known = ", ".join(choosing.allowed()) or "none"
        raise Invalid(
            f"{arn!r} is neither one of AWS's built-in functions ({begin}...) nor the name of one Python function that "
            f"the operator allows (WAGGLE_FUNCTIONS: {known})"
        )
    return found[0]


def arn_of(kind: str, begin: str, region: str) -> str:
    """The ARN of AWS's function for a task type."""
    name = PASS_THROUGH if kind == task_types.FORM else kind
    return arns.build("function", ACCOUNTS.get(region, ACCOUNTS[arns.DEFAULT_REGION]), begin + name, region=region)


def _name(arn: str) -> str:
    found = _NAME.fullmatch(arn)
    if found is None:
        raise Invalid(f"{arn!r} found, the ARN of a Lambda function expected")
    return found[1]


def _plain(name: Any) -> str:
    return re.sub(r"[-_]", "", str(name)).lower()


def _page_of(human_task_ui: str | None) -> str | None:
    """The task type of one of AWS's pages, which jobs name that have no template of their own."""
    found = _HUMAN_TASK_UI.fullmatch(human_task_ui) if human_task_ui else None
    return found[1] if found is not None else None
