"""Human review over REST: template, flow definition, human loop, the worker's task, the output."""

import json

import pytest
from django.test import Client

from labeling.background import advance_queue
from labeling.models import FlowDefinition
from marketplace import storage
from marketplace.services import boundaries
from tests import builders
from tests.labeling.test_human_loops import ANSWER, TEMPLATE

pytestmark = pytest.mark.django_db(transaction=True)
API = "/api/v1/"


class Caller:
    """A person who calls the API."""

    def __init__(self, user):
        self.client = Client()
        self.client.force_login(user)

    def send(self, path, body=None, *, expect=201):
        answer = self.client.post(f"{API}{path}", data=json.dumps(body or {}), content_type="application/json")
        assert answer.status_code == expect, answer.content
        return answer.json() if answer.content else None

    def get(self, path, *, expect=200):
        answer = self.client.get(f"{API}{path}")
        assert answer.status_code == expect, answer.content
        return answer.json()


@pytest.fixture
def requester():
    user, account = builders.a_requester()
    worker = builders.a_worker()
    team = builders.a_team(account=account, workers=[worker])
    picture = f"{boundaries.base_of(account)}/pictures/1.png"
    storage.write(picture, builders.image_bytes())
    caller = Caller(user)
    caller.send("human-task-uis", {"name": "boxes", "content": TEMPLATE})
    caller.send(
        "flow-definitions",
        {
            "name": "look-again",
            "workteam": team.pk,
            "human_task_ui": "boxes",
            "title": "Look at boxes",
            "description": "Correct the boxes of the model.",
            "price": "0.036",
            "output_uri": f"{boundaries.base_of(account)}/reviews",
            "conditions": {
                "Conditions": [{"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 5}}]
            },
        },
    )
    return caller, Caller(worker.user), picture


def test_from_a_prediction_to_the_output(requester):
    caller, worker, picture = requester
    flow = caller.get("flow-definitions/look-again")
    assert (flow["status"], flow["task_count"], flow["price"]) == ("Active", 1, "0.036000")
    content = {"initialValue": '[{"label":"bee","left":1,"top":2,"width":3,"height":4}]', "taskObject": picture}
    start = {"name": "loop-1", "flow_definition": "look-again", "input_content": content}
    loop = caller.send("human-loops", start)
    assert (loop["status"], loop["input_content"]) == ("InProgress", content)
    assert caller.send("human-loops", start)["arn"] == loop["arn"]
    caller.send("human-loops", start | {"input_content": {}}, expect=409)

    task = worker.send(f"work-queues/{flow['queue_id']}/claim?hint=true", expect=200)["assignment"]
    assert (task["title"], task["price"], task["image_url"]) == ("Look at boxes", "0.036000", "")
    page = worker.client.get(task["frame_url"])
    shown = page.content.decode()
    assert page.status_code == 200 and "initial-value" in shown and "left" in shown
    assert picture not in shown
    worker.send(f"assignments/{task['id']}/submit", {"answer": ANSWER, "seconds": 4}, expect=200)
    advance_queue(flow["queue_id"])
    done = caller.get("human-loops/loop-1")
    assert done["status"] == "Completed"
    written = json.loads(storage.read(done["output_uri"]))
    assert [one["answerContent"] for one in written["humanAnswers"]] == [ANSWER]
    assert [
        one["name"] for one in caller.get("human-loops?status=Completed&flow_definition=look-again")["results"]
    ] == ["loop-1"]
    assert caller.client.delete(f"{API}human-loops/loop-1").status_code == 204
    caller.get("human-loops/loop-1", expect=404)


def test_what_belongs_to_another_account_is_not_there(requester):
    caller, _, _ = requester
    stranger = Caller(builders.a_requester()[0])
    for path in ("human-task-uis/boxes", "flow-definitions/look-again"):
        caller.get(path)
        stranger.get(path, expect=404)
        assert stranger.client.delete(f"{API}{path}").status_code == 404
    start = {"name": "loop-1", "flow_definition": "look-again", "input_content": {}}
    stranger.send("human-loops", start, expect=404)


def test_deleting_stops_new_loops_only(requester):
    caller, _, _ = requester
    start = {"name": "loop-1", "flow_definition": "look-again", "input_content": {}}
    caller.send("human-loops", start)
    assert caller.client.delete(f"{API}human-task-uis/boxes").status_code == 204
    assert caller.client.delete(f"{API}flow-definitions/look-again").status_code == 204
    caller.send("human-loops", start | {"name": "loop-2"}, expect=404)
    caller.send("human-loops/loop-1/stop", expect=200)
    flow = FlowDefinition.objects.get()
    advance_queue(flow.queue_id)
    assert caller.get("human-loops/loop-1")["status"] == "Stopped"
    flow.queue.refresh_from_db()
    assert flow.queue.status == "Stopped"


def test_what_is_wrong_is_named(requester):
    caller, _, _ = requester
    wrong = {
        "name": "Look",
        "workteam": 1,
        "human_task_ui": "boxes",
        "title": "t",
        "description": "d",
        "output_uri": "s3://a/b",
        "task_count": 9,
    }
    problem = caller.send("flow-definitions", wrong, expect=400)
    assert {one["field"] for one in problem["errors"]} == {"name", "task_count"}
