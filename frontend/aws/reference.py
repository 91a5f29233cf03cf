"""docs/aws-compatibility.md, made of the registry: what becomes of every member of every operation's input."""

from collections.abc import Iterator, Mapping

from botocore.model import ListShape, MapShape, Shape, StructureShape

from frontend.aws import models
from frontend.aws.operations import OPERATIONS
from frontend.aws.registry import Operation

TITLES = {
    "sagemaker": "SageMaker",
    "sagemaker-a2i-runtime": "Augmented AI runtime",
    "sagemaker-runtime": "SageMaker runtime",
    "logs": "CloudWatch Logs",
    "sts": "STS",
    "iam": "IAM",
}
SUPPORTED, IGNORED, REFUSED = "supported", "ignored", "refused"
_DEEPEST = 12


def paths(shape: Shape | None, begin: str = "", depth: int = 0) -> Iterator[str]:
    """The path of every member below a shape: "OutputConfig", "OutputConfig.KmsKeyId", "Tags[].Key"."""
    if depth > _DEEPEST:
        return
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            path = f"{begin}.{name}" if begin else name
            yield path
            yield from paths(member, path, depth + 1)
    elif isinstance(shape, ListShape):
        yield from paths(shape.member, f"{begin}[]", depth + 1)
    elif isinstance(shape, MapShape):
        yield from paths(shape.value, f"{begin}{{}}", depth + 1)


def fate(operation: Operation, path: str) -> tuple[str, str]:
    """(SUPPORTED, IGNORED or REFUSED, the reason or "") of a member."""
    for word, declared in ((IGNORED, operation.ignored), (REFUSED, operation.refused)):
        if reason := _declared(declared, path):
            return word, reason
    return SUPPORTED, ""


def _declared(declared: Mapping[str, str], path: str) -> str:
    """The reason that stands at the path or above it."""
    for name, reason in declared.items():
        if path == name or path.startswith((f"{name}.", f"{name}[", f"{name}{{")):
            return reason
    return ""


def text() -> str:
    """The whole page."""
    lines = [_HEAD, "", "| service | operations |", "|---|---|"]
    for service in models.SERVICES:
        names = sorted(one.name for one in OPERATIONS.values() if one.service == service)
        if names:
            lines.append(f"| {TITLES[service]} | {', '.join(f'`{name}`' for name in names)} |")
    for service in models.SERVICES:
        for one in sorted((one for one in OPERATIONS.values() if one.service == service), key=lambda one: one.name):
            lines += ["", *_section(one)]
    return "\n".join(lines) + "\n"


def _section(operation: Operation) -> list[str]:
    found = {path: fate(operation, path) for path in paths(operation.model.input_shape)}
    title = f"## {operation.name}" + ("" if operation.service == "sagemaker" else f" ({TITLES[operation.service]})")
    lines = [title, "", f"Needs the role {operation.at_least.value}."]
    if not found:
        return [*lines, "", "It takes no members."]
    lines += ["", "| member | | |", "|---|---|---|"]
    # What is said of a member holds for all inside of it.
    told = {**operation.ignored, **operation.refused}
    shown = [path for path, (word, _) in found.items() if word == SUPPORTED or path in told]
    return [*lines, *(f"| `{path}` | {found[path][0]} | {found[path][1]} |" for path in shown)]


_HEAD = """# AWS compatibility

<!-- Made by `manage.py aws_compatibility`; a test compares it with the code. -->

What the AWS wire ([aws.md](aws.md)) answers: every operation, and what becomes of every member of its input.

- *supported*: it does what AWS says.
- *ignored*: it may be given and changes nothing, for the reason beside it.
- *refused*: a request that has it is answered with a ValidationException that says why.

Every constraint of AWS's models (required members, types, lengths, ranges, patterns, enumerations) is checked for all
of them. Operations that are not listed are answered with an UnknownOperationException that names them."""
