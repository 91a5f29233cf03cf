"""Functions as an operator would allow them, for tests of functions. They know nothing of Waggle, and no Django."""

import json
import os
import time
from collections import Counter
from typing import Any
from urllib.parse import unquote, urlsplit


def prepare(event, context):
    """Blurred pictures need nobody."""
    print("what a function prints comes between no answers")
    line = event["dataObject"]
    assert context.get_remaining_time_in_millis() > 0 and context.aws_request_id.startswith("msg_")
    return {"taskInput": {"place": line.get("place", "nowhere")}, "isHumanAnnotationRequired": not line.get("blurred")}


def most_votes(event, context):
    """The insect that most people named, of forms and of classifications."""
    made = []
    for one in stored(event["payload"]["s3Uri"]):
        votes = Counter(voted(json.loads(each["annotationData"]["content"])) for each in one["annotations"])
        attribute, (insect, number) = event["labelAttributeName"], votes.most_common(1)[0]
        content = {attribute: insect, f"{attribute}-metadata": {"votes": number}, "checked": True}
        made.append({"datasetObjectId": one["datasetObjectId"], "consolidatedAnnotation": {"content": content}})
    return made


def raises(event, context):
    """Is broken."""
    raise KeyError("wings")


def hangs(event, context):
    """Takes for ever."""
    time.sleep(600)


def dies(event, context):
    """Takes its process with it."""
    raise SystemExit


def tells_environment(event, context):
    """Shows people what it can read of the environment."""
    return {"taskInput": dict(os.environ)}


def voted(content: dict[str, Any]) -> str:
    """What one worker has named."""
    found = content["insect"]
    return found["label"] if isinstance(found, dict) else found


def stored(uri: str) -> Any:
    """A JSON file of the store, which is a folder in tests."""
    with open(unquote(urlsplit(uri).path), "rb") as file:
        return json.load(file)
