"""Folders as `aws s3 cp --recursive` and `aws sagemaker describe-...` make them, written by hand in AWS's shapes."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

ACCOUNT = "111122223333"
TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-classifier name="verdict" categories="['right', 'wrong']" header="Is this right?">
    <classification-target>{{ task.input.taskObject }}</classification-target>
  </crowd-classifier>
</crowd-form>
"""
BOX_METADATA = {
    "class-map": {"0": "bee", "1": "wasp"},
    "type": "groundtruth/object-detection",
    "human-annotated": "yes",
    "creation-date": "2022-09-12T22:18:13.527256",
    "job-name": "labeling-job/bees",
}
EXPIRED = "ClientError: Annotation tasks expired.  Probable Reasons are 1) TaskAvailabilityLifetimeInSeconds"


def arn(kind: str, name: str) -> str:
    """An ARN of SageMaker."""
    return f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:{kind}/{name}"


def function(name: str) -> str:
    """The ARN of a function of Ground Truth's."""
    return f"arn:aws:lambda:us-east-1:432418664414:function:{name}"


def box_line(uri: str, *boxes: tuple[int, int, int, int, int], attribute: str = "bees") -> dict[str, Any]:
    """A line with boxes, each (class_id, left, top, width, height)."""
    names = ("class_id", "left", "top", "width", "height")
    return {
        "source-ref": uri,
        attribute: {
            "image_size": [{"width": 48, "height": 32, "depth": 3}],
            "annotations": [dict(zip(names, box, strict=True)) for box in boxes],
        },
        f"{attribute}-metadata": {**BOX_METADATA, "objects": [{"confidence": 0.09} for _ in boxes]},
    }


def failed_line(uri: str, attribute: str = "bees") -> dict[str, Any]:
    """A line of an object that nobody labeled in time."""
    metadata = {"retry-count": 1, "failure-reason": EXPIRED, "human-annotated": "true"}
    return {"source-ref": uri, f"{attribute}-metadata": metadata}


def job_output(folder: Path, name: str, lines: Iterable[Mapping[str, Any]]) -> Path:
    """The output folder of a job, with the workers' answers of its first object."""
    base = folder / name
    _write(base / "manifests/output/output.manifest", b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    response = {"answers": [{"workerId": "private.us-east-1.ea05a03fcd679cbb", "answerContent": {}}]}
    path = base / "annotations/worker-response/iteration-1/0/2022-09-12_22:18:13.json"
    _write(path, json.dumps(response).encode())
    return base


def segmented(folder: Path, uri: str) -> Path:
    """The output of a job of semantic segmentation, with its mask; the manifest has the address of AWS."""
    base = job_output(folder, "city", [])
    mask = "annotations/consolidated-annotation/output/0_2020-04-21T13:48:00.091190.png"
    picture = Image.new("P", (48, 32), 0)
    picture.putpalette([255, 255, 255, 44, 160, 44] + [255] * 762)
    picture.paste(1, (4, 4, 20, 20))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    _write(base / mask, buffer.getvalue())
    colors = {
        "0": {"class-name": "BACKGROUND", "confidence": 0.8, "hex-color": "#ffffff"},
        "1": {"class-name": "meadow", "confidence": 0.8, "hex-color": "#2ca02c"},
    }
    metadata = {**BOX_METADATA, "type": "groundtruth/semantic-segmentation", "internal-color-map": colors}
    line = {"source-ref": uri, "city-ref": f"s3://out/city/{mask}", "city-ref-metadata": metadata}
    _write(base / "manifests/output/output.manifest", json.dumps(line).encode() + b"\n")
    return base


def labeling_job(name: str = "bees", x: str = "BoundingBox", **changes: Any) -> dict[str, Any]:
    """The answer of describe-labeling-job."""
    return {
        "LabelingJobStatus": "Completed",
        "LabelCounters": {"TotalLabeled": 2, "HumanLabeled": 2, "MachineLabeled": 0},
        "LabelingJobName": name,
        "LabelingJobArn": arn("labeling-job", name),
        "LabelAttributeName": name,
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://b/in.manifest"}}},
        "OutputConfig": {"S3OutputPath": "s3://b/out"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/GroundTruth",
        "HumanTaskConfig": {
            "WorkteamArn": arn("workteam", "private-crowd/keepers"),
            "UiConfig": {"UiTemplateS3Uri": "s3://b/template.liquid.html"},
            "PreHumanTaskLambdaArn": function(f"PRE-{x}"),
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": function(f"ACS-{x}")},
            "TaskTitle": "Boxes",
            "TaskDescription": "Draw boxes",
            "NumberOfHumanWorkersPerDataObject": 5,
            "TaskTimeLimitInSeconds": 300,
        },
        **changes,
    }


def flow(name: str = "review", **changes: Any) -> dict[str, Any]:
    """The answer of describe-flow-definition."""
    return {
        "FlowDefinitionArn": arn("flow-definition", name),
        "FlowDefinitionName": name,
        "FlowDefinitionStatus": "Active",
        "CreationTime": "2022-09-12T22:18:13Z",
        "HumanLoopConfig": {
            "WorkteamArn": arn("workteam", "private-crowd/keepers"),
            "HumanTaskUiArn": arn("human-task-ui", "verdict"),
            "TaskTitle": "Is it right?",
            "TaskDescription": "Look at one prediction",
            "TaskCount": 2,
            "TaskAvailabilityLifetimeInSeconds": 86400,
            "TaskTimeLimitInSeconds": 600,
            "TaskKeywords": ["review"],
        },
        "OutputConfig": {"S3OutputPath": "s3://b/a2i"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/A2I",
        **changes,
    }


def task_ui(name: str = "verdict", template: str = TEMPLATE) -> dict[str, Any]:
    """The answer of describe-human-task-ui: a link and a digest, without the template."""
    digest = hashlib.sha256(template.encode()).hexdigest()
    return {
        "HumanTaskUiArn": arn("human-task-ui", name),
        "HumanTaskUiName": name,
        "HumanTaskUiStatus": "Active",
        "CreationTime": "2022-09-12T22:18:13Z",
        "UiTemplate": {"Url": "https://example.s3.amazonaws.com/x?X-Amz-Signature=1", "ContentSha256": digest},
    }


def team(name: str = "keepers") -> dict[str, Any]:
    """The answer of describe-workteam."""
    group = {"UserPool": "us-east-1_1", "UserGroup": "keepers", "ClientId": "c"}
    described = {
        "WorkteamName": name,
        "MemberDefinitions": [{"CognitoMemberDefinition": group}],
        "WorkteamArn": arn("workteam", f"private-crowd/{name}"),
        "Description": "Bee keepers",
    }
    return {"Workteam": described}


def saved(folder: Path, name: str, content: Any) -> Path:
    """A file with this text, or with this as JSON."""
    text = content if isinstance(content, str) else json.dumps(content, indent=2)
    return _write(folder / name, text.encode())


def archive(folder: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """A .tar.gz with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as out:
        for inner, content in files.items():
            info = tarfile.TarInfo(inner)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return _write(folder / name, buffer.getvalue())


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
