"""A pre- and a post-annotation function, written as Lambda handlers for Ground Truth are.

`prepare` is asked about each object before people see it, `merge` about some objects at once after people's answers.
Name them in a job as `insects.prepare` and `insects.merge`, once the operator allows them (WAGGLE_FUNCTIONS) and Python
finds this folder (PYTHONPATH); or let endpoint.py answer for them.
"""

import json
import urllib.request
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit


def prepare(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Show where a picture was taken; ask nobody about pictures whose line says that they are blurred."""
    line = event["dataObject"]
    return {
        "taskInput": {"taskObject": line["source-ref"], "place": line.get("place", "an unknown place")},
        "isHumanAnnotationRequired": not line.get("blurred", False),
    }


def merge(event: dict[str, Any], context: Any) -> list[dict[str, Any]]:
    """The insect that most people have named in the field `insect` of the form."""
    attribute = event["labelAttributeName"]
    return [
        {
            "datasetObjectId": one["datasetObjectId"],
            "consolidatedAnnotation": {"content": vote(one["annotations"], attribute, event["labelingJobArn"])},
        }
        for one in read_payload(event["payload"])
    ]


def vote(annotations: list[dict[str, Any]], attribute: str, job_arn: str) -> dict[str, Any]:
    """What the manifest line gets."""
    named = Counter(json.loads(one["annotationData"]["content"])["insect"] for one in annotations)
    insect, votes = min(named.items(), key=lambda one: (-one[1], one[0]))
    return {
        attribute: insect,
        f"{attribute}-metadata": {
            "confidence": round(votes / len(annotations), 2),
            "job-name": job_arn.split(":")[5],
            "type": "groundtruth/custom",
            "human-annotated": "yes",
            "creation-date": datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
        },
    }


def read_payload(payload: dict[str, str]) -> list[dict[str, Any]]:
    """The answers: from the address, which everybody can read who has it, or out of the store."""
    if "url" in payload:
        with urllib.request.urlopen(payload["url"], timeout=30) as response:
            return json.load(response)
    uri = urlsplit(payload["s3Uri"])
    if uri.scheme == "file":
        with open(unquote(uri.path), "rb") as file:
            return json.load(file)
    import boto3

    stored = boto3.client("s3").get_object(Bucket=uri.netloc, Key=uri.path.lstrip("/"))
    return json.load(stored["Body"])
