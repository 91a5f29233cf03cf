"""Amazon resource names: one table of resource types, built and parsed. Pure; knows neither settings nor models."""

import re
from typing import NamedTuple

from marketplace.ranges import Range

PARTITION = "aws"
DEFAULT_REGION = "us-east-1"
# The AWS account that owns the public crowd's work team.
PUBLIC_CROWD_ACCOUNT = "394669845002"
ACCOUNT_NUMBER = r"^[0-9]{12}$"
"""The number of an account, as a regular expression."""

LENGTH = Range(1, 2048)
"""Characters of an ARN."""
# Kind (the resource type of the ARN) -> service. A workteam's name is "<crowd>/<name>".
SERVICES = {
    "labeling-job": "sagemaker",
    "workteam": "sagemaker",
    "workforce": "sagemaker",
    "human-task-ui": "sagemaker",
    "flow-definition": "sagemaker",
    "human-loop": "sagemaker",
    "training-job": "sagemaker",
    "transform-job": "sagemaker",
    "hyper-parameter-tuning-job": "sagemaker",
    "model": "sagemaker",
    "model-package": "sagemaker",
    "model-package-group": "sagemaker",
    "endpoint-config": "sagemaker",
    "endpoint": "sagemaker",
    # Not AWS's, whose solution has no resource for it.
    "improvement-policy": "sagemaker",
    "labeling-job-algorithm-specification": "sagemaker",
    "role": "iam",
    "function": "lambda",
}
# IAM is global and has no region; Lambda separates type and name by a colon.
GLOBAL = frozenset({"iam"})
SEPARATORS = {"function": ":"}
_ARN = re.compile(r"arn:(aws[a-z\-]*):([a-z0-9\-]+):([a-z0-9\-]*):([0-9]{12}):([a-z\-]+)([/:])(.+)")


class Arn(NamedTuple):
    """The parts of an ARN."""

    kind: str
    account_number: str
    name: str
    region: str


def build(kind: str, account_number: str, name: str, *, region: str = DEFAULT_REGION) -> str:
    """The ARN of a resource. Raises ValueError for an unknown kind, an account that is not 12 digits, an empty name."""
    if kind not in SERVICES:
        raise ValueError(f"{kind!r} is not a resource type; one of {', '.join(sorted(SERVICES))} expected")
    if not re.fullmatch(r"[0-9]{12}", account_number):
        raise ValueError(f"account {account_number!r} found, twelve digits expected")
    if not name:
        raise ValueError(f"the {kind} has no name")
    service = SERVICES[kind]
    where = "" if service in GLOBAL else region
    return f"arn:{PARTITION}:{service}:{where}:{account_number}:{kind}{SEPARATORS.get(kind, '/')}{name}"


def parse(arn: str) -> Arn:
    """The parts of an ARN of a known kind. Raises ValueError that says what was found."""
    match = _ARN.fullmatch(arn)
    if match is None:
        raise ValueError(f"{arn!r} is not an ARN: arn:aws:<service>:<region>:<account>:<type>/<name> expected")
    _, service, region, account, kind, separator, name = match.groups()
    if SERVICES.get(kind) != service or separator != SEPARATORS.get(kind, "/"):
        raise ValueError(f"{arn!r}: {service} has no resource type {kind!r} here")
    return Arn(kind, account, name, region)
