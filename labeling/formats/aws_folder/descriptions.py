"""JSON of `aws sagemaker describe-...` calls and of the requests that made things, told apart by their members.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from labeling.formats import conditions
from labeling.formats.aws_folder.things import (
    DIFFERS,
    FLOW,
    HUMAN_LOOP,
    LABELING_JOB,
    OTHER,
    RUNS,
    STOPS,
    TASK_UI,
    WORK_TEAM,
    Known,
    Thing,
)

PUBLIC, PRIVATE, VENDOR = "public-crowd", "private-crowd", "vendor-crowd"
BUILT_IN = re.compile(r".*:function:(?:PRE|ACS)-([A-Za-z0-9]+)$")
"""The ARN of a function that AWS provides, in any region and account; the group is the task type's name."""

Reader = Callable[[Mapping[str, Any], Path, Known], Thing]


def read(document: Any, path: Path, known: Known) -> Iterator[Thing]:
    """The things that a JSON document describes: one, or several in a list."""
    if isinstance(document, list):
        for item in document:
            yield from read(item, path, known)
        return
    if not isinstance(document, Mapping):
        return
    for member in ("Workteams", "FlowDefinitions", "HumanTaskUis", "LabelingJobs"):
        if isinstance(document.get(member), list):
            yield from read(document[member], path, known)
            return
    if isinstance(document.get("Workteam"), Mapping):
        document = document["Workteam"]
    for needed, reader in _READERS:
        if all(name in document for name in needed):
            yield reader(document, path, known)
            return
    summaries = [name for name in document if name.endswith(("Summaries", "SummaryList"))]
    if summaries:
        thing = Thing(OTHER, path.name, path)
        thing.says(DIFFERS, "is a list of names only: download `describe-...` of each", summaries[0])
        yield thing


def team_of(arn: object) -> tuple[str, str]:
    """(crowd, name) of the ARN of a work team; ("", "") for something else."""
    found = re.fullmatch(
        r"arn:[^:]+:sagemaker:[^:]*:\d{12}:workteam/([a-z-]+)/(.+)", arn if isinstance(arn, str) else ""
    )
    return (found[1], found[2]) if found else ("", "")


def last(arn: object) -> str:
    """The last segment of an ARN, "" for something that is no text."""
    return arn.rsplit("/", 1)[-1] if isinstance(arn, str) else ""


def _labeling_job(job: Mapping[str, Any], path: Path, known: Known) -> Thing:
    thing = Thing(LABELING_JOB, str(job["LabelingJobName"]), path)
    config = _mapping(job.get("HumanTaskConfig"))
    kind = _task_type(thing, config, known)
    _team(thing, config.get("WorkteamArn"), "HumanTaskConfig.WorkteamArn")
    if "SnsDataSource" in _mapping(_mapping(job.get("InputConfig")).get("DataSource")):
        reason = "streaming input from an SNS topic is not taken over: give the job a manifest"
        thing.says(STOPS, reason, "InputConfig.DataSource.SnsDataSource")
    if job.get("LabelingJobAlgorithmsConfig"):
        _automated(thing, _mapping(job["LabelingJobAlgorithmsConfig"]), kind, known)
    _ignored(thing, job, "OutputConfig", "KmsKeyId")
    if _mapping(job.get("OutputConfig")).get("SnsTopicArn"):
        thing.says(DIFFERS, "SNS topics are not told: use webhooks (docs/notices.md)", "OutputConfig.SnsTopicArn")
    if job.get("LabelingJobStatus") in ("InProgress", "Initializing", "Stopping"):
        reason = "is not over: stop it there, then download its output, or what people do meanwhile is missing here"
        thing.says(DIFFERS, reason, "LabelingJobStatus")
    thing.data = {"task_type": kind, "attribute": job.get("LabelAttributeName", "")}
    return thing


def _task_type(thing: Thing, config: Mapping[str, Any], known: Known) -> str:
    """The task type by the built-in functions, "" for one of its own; its findings."""
    ui = _mapping(config.get("UiConfig"))
    functions = {
        "HumanTaskConfig.PreHumanTaskLambdaArn": config.get("PreHumanTaskLambdaArn"),
        "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn": _mapping(
            config.get("AnnotationConsolidationConfig")
        ).get("AnnotationConsolidationLambdaArn"),
    }
    kind = ""
    for place, arn in functions.items():
        built_in = BUILT_IN.fullmatch(arn) if isinstance(arn, str) else None
        if built_in:
            kind = kind or built_in[1]
        elif arn:
            reason = (
                f"{str(arn)[:200]} is a function of your own: have the operator name it, as an endpoint or in Python "
                "(docs/functions.md)"
            )
            thing.says(STOPS, reason, place)
    if not kind and ui.get("HumanTaskUiArn"):
        kind = last(ui["HumanTaskUiArn"])
    if not kind or kind == "PassThrough":
        thing.says(RUNS, f"is a job of the type {known.template}, with a worker template", "HumanTaskConfig.UiConfig")
        return known.template
    if reason := known.refusal(kind):
        thing.says(STOPS, reason, "HumanTaskConfig.PreHumanTaskLambdaArn")
    else:
        thing.says(RUNS, f"is a job of the type {kind}")
    return kind


def _automated(thing: Thing, config: Mapping[str, Any], kind: str, known: Known) -> None:
    place = "LabelingJobAlgorithmsConfig"
    if known.learns(kind):
        thing.says(RUNS, "automated labeling is offered for the type, with networks of our own", place)
    else:
        thing.says(DIFFERS, "automated labeling is not offered for the type: people label everything", place)
    if config.get("InitialActiveLearningModelArn"):
        reason = "models of SageMaker's algorithms are not read: the loop begins without one"
        thing.says(DIFFERS, reason, f"{place}.InitialActiveLearningModelArn")
    if config.get("LabelingJobResourceConfig"):
        thing.says(DIFFERS, "has no effect here", f"{place}.LabelingJobResourceConfig")


def _flow(flow: Mapping[str, Any], path: Path, known: Known) -> Thing:
    thing = Thing(FLOW, str(flow["FlowDefinitionName"]), path)
    loop = _mapping(flow["HumanLoopConfig"])
    for name in ("WorkteamArn", "HumanTaskUiArn", "TaskTitle", "TaskDescription", "TaskCount"):
        if not loop.get(name):
            thing.says(STOPS, "is missing", f"HumanLoopConfig.{name}")
    _team(thing, loop.get("WorkteamArn"), "HumanLoopConfig.WorkteamArn")
    source = _mapping(flow.get("HumanLoopRequestSource")).get("AwsManagedHumanLoopRequestSource", "")
    if source:
        reason = "Rekognition and Textract do not start human loops here: your program starts them, with their answer"
        thing.says(DIFFERS, reason, "HumanLoopRequestSource")
    activation = _mapping(_mapping(flow.get("HumanLoopActivationConfig")).get("HumanLoopActivationConditionsConfig"))
    text = activation.get("HumanLoopActivationConditions", "")
    if text:
        try:
            conditions.parse(text, source=source or None)
        except conditions.ConditionsError as error:
            thing.says(STOPS, error.problem, f"HumanLoopActivationConditions.{error.field}")
    _ignored(thing, flow, "OutputConfig", "KmsKeyId")
    if not thing.findings:
        thing.says(RUNS, "people review the same human loops, in the same output layout")
    thing.data = {
        "loop": dict(loop),
        "team": team_of(loop.get("WorkteamArn")),
        "task_ui": last(loop.get("HumanTaskUiArn")),
        "source": source,
        "conditions": text,
        "output": _mapping(flow.get("OutputConfig")).get("S3OutputPath", ""),
        "role": flow.get("RoleArn", ""),
    }
    return thing


def _task_ui(ui: Mapping[str, Any], path: Path, known: Known) -> Thing:
    """Its template is not in what AWS describes: `check.py` looks for it among the files, by its SHA-256."""
    name = ui.get("HumanTaskUiName") or last(ui.get("HumanTaskUiArn"))
    thing = Thing(TASK_UI, str(name), path)
    template = _mapping(ui["UiTemplate"])
    thing.data = {"content": template.get("Content"), "sha256": template.get("ContentSha256", "")}
    return thing


def _work_team(team: Mapping[str, Any], path: Path, known: Known) -> Thing:
    thing = Thing(WORK_TEAM, str(team["WorkteamName"]), path)
    members = team.get("MemberDefinitions") or []
    thing.says(DIFFERS, "its members are not in what AWS describes: invite them by e-mail", "MemberDefinitions")
    if any("OidcMemberDefinition" in _mapping(one) for one in members):
        reason = "groups of an identity provider: register the provider for the account (docs/people.md)"
        thing.says(DIFFERS, reason, "MemberDefinitions.OidcMemberDefinition")
    if _mapping(team.get("NotificationConfiguration")).get("NotificationTopicArn"):
        reason = "SNS topics are not told: use webhooks (docs/notices.md)"
        thing.says(DIFFERS, reason, "NotificationConfiguration.NotificationTopicArn")
    thing.data = {"description": str(team.get("Description") or "")}
    return thing


def _human_loop(loop: Mapping[str, Any], path: Path, known: Known) -> Thing:
    name = loop.get("HumanLoopName") or loop.get("humanLoopName")
    thing = Thing(HUMAN_LOOP, str(name), path)
    thing.says(RUNS, "is a record of finished work: it stays where it is")
    return thing


def _not_moved(document: Mapping[str, Any], path: Path, known: Known) -> Thing:
    thing = Thing(OTHER, path.name, path)
    thing.says(DIFFERS, "trainings, endpoints and their models are not moved: train anew from the imported labels")
    return thing


def _team(thing: Thing, arn: object, place: str) -> None:
    crowd, _ = team_of(arn)
    if crowd == PUBLIC:
        thing.says(
            DIFFERS, "Mechanical Turk's workers do not come along: the public pool is this installation's", place
        )
    elif crowd == VENDOR:
        thing.says(DIFFERS, "a vendor works under a contract here (docs/vendors.md): name a team (--team)", place)
    elif not crowd and arn:
        thing.says(STOPS, f"{str(arn)[:200]} is not the ARN of a work team", place)


def _ignored(thing: Thing, document: Mapping[str, Any], *members: str) -> None:
    found: Any = document
    for name in members:
        found = _mapping(found).get(name)
    if found:
        thing.says(DIFFERS, "has no effect here: the store encrypts as its operator set it up", ".".join(members))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


_READERS: tuple[tuple[tuple[str, ...], Reader], ...] = (
    (("LabelingJobName", "HumanTaskConfig"), _labeling_job),
    (("FlowDefinitionName", "HumanLoopConfig"), _flow),
    (("UiTemplate", "HumanTaskUiName"), _task_ui),
    (("UiTemplate", "HumanTaskUiArn"), _task_ui),
    (("WorkteamName",), _work_team),
    (("HumanLoopName", "HumanLoopStatus"), _human_loop),
    (("flowDefinitionArn", "humanAnswers"), _human_loop),
    (("TrainingJobName",), _not_moved),
    (("EndpointName",), _not_moved),
    (("EndpointConfigName",), _not_moved),
    (("ModelName",), _not_moved),
)
"""Members that tell what a document is -> what reads it."""
