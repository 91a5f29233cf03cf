"""The functions that a job may name: addresses that could be asked, and Python functions that the operator allows."""

import base64
import binascii
import secrets
from typing import TYPE_CHECKING

from django.conf import settings

from labeling.models import JobFunctions, LabelingJob
from labeling.services.functions.asking import is_address
from marketplace import sealing
from marketplace.ranges import Range
from marketplace.services import message_log

if TYPE_CHECKING:
    # The design asks this module, and is only read here.
    from labeling.services.jobs.design import Design

FIELDS = ("pre_human_task_function", "annotation_consolidation_function")
PATH_LENGTH = Range(0, 500)
"""Characters of an address or of a Python path."""

SECRET_LENGTH = Range(0, 200)
"""Characters of a signing secret, as it is given."""

SECRET_BYTES = Range(24, 64)
"""Bytes of a signing secret, as Standard Webhooks has it."""

PREFIX = "whsec_"
EXPECTED = f"{PREFIX} and {SECRET_BYTES} bytes in base64 expected"


def allowed() -> list[str]:
    """The Python functions that jobs may name."""
    names: list[str] = settings.FUNCTIONS
    return names


def new_secret() -> str:
    """A secret to give to an endpoint and to its jobs."""
    return f"{PREFIX}{base64.b64encode(secrets.token_bytes(int(SECRET_BYTES.low))).decode()}"


def check_design(design: "Design") -> None:
    """Note what is wrong with the functions of a job."""
    given = {field: getattr(design, field) for field in FIELDS}
    for field, reason in errors(given, design.function_secret):
        design.wrong(field, reason)


def errors(given: dict[str, str], secret: str) -> list[tuple[str, str]]:
    """What is wrong with functions, by their field, and with the secret that signs requests: (field, reason)."""
    wrong = [(field, reason) for field, path in given.items() if path and (reason := _refusal(path))]
    if any(is_address(path) for path in given.values()) and (reason := _secret_refusal(secret)):
        wrong.append(("function_secret", reason))
    return wrong


def _refusal(path: str) -> str:
    if not is_address(path):
        return "" if path in allowed() else f"{path[:200]!r} is no address, and not among those the operator allows"
    return message_log.address_refusal(path)


def _secret_refusal(secret: str) -> str:
    if not secret:
        return f"needed for an address, because requests are signed: {EXPECTED}"
    try:
        size = len(base64.b64decode(secret.removeprefix(PREFIX), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    return "" if secret.startswith(PREFIX) and size in SECRET_BYTES else EXPECTED


def keep(job: LabelingJob, design: "Design") -> None:
    """Store the functions of a new job, in the transaction that makes it."""
    given = [getattr(design, field) for field in FIELDS]
    if any(given):
        signs = any(is_address(path) for path in given)
        JobFunctions.objects.create(
            job=job,
            pre_human_task=given[0],
            annotation_consolidation=given[1],
            secret=sealing.seal(design.function_secret) if signs else "",
        )


def of_job(job: LabelingJob) -> dict[str, str]:
    """The functions of a job by their field, "" for a built-in one."""
    row = JobFunctions.objects.filter(pk=job.pk).first()
    paths = ("", "") if row is None else (row.pre_human_task, row.annotation_consolidation)
    return dict(zip(FIELDS, paths, strict=True))
