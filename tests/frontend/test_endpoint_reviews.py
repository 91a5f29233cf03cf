"""Human review of an endpoint over REST and on its pages; training on the answers; conditions on services' answers."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from labeling.background import advance_queue
from labeling.models import Dataset, HumanLoop
from labeling.services.review import flows
from learning.models import EndpointReview, TrainingJob
from marketplace import storage
from marketplace.services import boundaries
from tests import builders
from tests.labeling.formats.test_ai_responses import LABELS
from tests.labeling.test_human_loops import answer
from tests.learning.hosting_stories import a_config, a_model, an_endpoint
from tests.learning.test_endpoint_reviews import LOW, UNSURE, a_reviewed_endpoint, answering, ask

pytestmark = pytest.mark.django_db
API = "/api/v1/"
JSON = {"content_type": "application/json"}
MODERATION = "AWS/Rekognition/DetectModerationLabels/Image/V3"


@pytest.fixture
def reviewed():
    """An endpoint with a human review, its flow definition and a worker, and its owner's client."""
    endpoint, flow, (worker, _) = a_reviewed_endpoint()
    client = Client()
    client.force_login(endpoint.account.members.get())
    return endpoint, flow, worker, client


def test_a_review_is_set_seen_and_ended_over_rest(reviewed):
    _, _, _, client = reviewed
    path = f"{API}endpoints/bees/human-review"
    wanted = {"flow_definition": "look-again", "conditions": {"Conditions": [LOW]}, "most_per_hour": 3}
    shown = client.put(path, wanted | {"least_score": 0.5}, **JSON).json()
    assert (shown["conditions"], shown["most_per_hour"], shown["least_score"]) == ({"Conditions": [LOW]}, 3, 0.5)
    assert client.get(path).json() == shown
    bad = {"Conditions": [{"And": [LOW]}]}
    refused = client.put(path, wanted | {"conditions": bad}, **JSON)
    assert refused.status_code == 400
    assert [one["field"] for one in refused.json()["errors"]] == ["conditions.Conditions[0].And"]
    assert client.put(path, wanted | {"flow_definition": "nobody"}, **JSON).status_code == 404
    assert client.put(path, wanted | {"most_per_hour": 0}, **JSON).status_code == 400
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_a_review_is_set_and_ended_on_pages(reviewed):
    _, _, _, client = reviewed
    page = reverse("requester:endpoint-review", args=["bees"])
    assert "HighestScoreCheck" in client.get(page).content.decode()
    form = {"flow_definition": "look-again", "least_score": "0.4", "most_per_hour": "5", "conditions": "{"}
    refused = client.post(page, form)
    assert refused.status_code == 422 and "is not valid JSON" in refused.content.decode()
    sampling = {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 100}}
    done = client.post(page, form | {"conditions": json.dumps({"Conditions": [sampling]})})
    assert done["Location"] == reverse("requester:endpoint", args=["bees"])
    row = EndpointReview.objects.get()
    assert (row.conditions, row.least_score, row.most_per_hour) == ({"Conditions": [sampling]}, 0.4, 5)
    shown = client.get(done["Location"]).content.decode()
    assert "0 of at most 5" in shown
    client.post(reverse("requester:endpoint-review-end", args=["bees"]))
    assert not EndpointReview.objects.exists()
    assert "Ask people" in client.get(done["Location"]).content.decode()


def test_what_keeps_an_endpoint_from_asking_is_on_its_page(reviewed):
    endpoint, flow, _, client = reviewed
    flows.delete_flow(flow=flow, by="test")
    with answering(endpoint, UNSURE):
        ask(endpoint)
    shown = client.get(reverse("requester:endpoint", args=["bees"])).content.decode()
    assert "People are not asked: the flow definition is Deleting" in shown


def an_answered_loop(endpoint, flow, worker):
    """People have moved the red box that the model was not sure of, and drawn a green one."""
    with answering(endpoint, UNSURE):
        ask(endpoint)
    drawn = [
        {"label": "red", "left": 12, "top": 16, "width": 20, "height": 16},
        {"label": "green", "left": 50, "top": 40, "width": 25, "height": 40},
    ]
    result = {"boundingBoxes": drawn, "inputImageProperties": {"width": 100, "height": 80}}
    answer(flow, worker, {"annotatedResult": result})
    advance_queue(flow.queue_id)


def test_one_call_makes_the_data_set_and_starts_the_training(reviewed):
    endpoint, flow, worker, client = reviewed
    path = f"{API}flow-definitions/look-again/training-jobs"
    nothing = client.post(path, {"endpoint": "bees"}, **JSON)
    assert nothing.status_code == 400 and "gives a label" in nothing.content.decode()
    assert not Dataset.objects.exists() and not TrainingJob.objects.exists()
    an_answered_loop(endpoint, flow, worker)
    both = client.post(path, {"endpoint": "bees", "model": "quadrants"}, **JSON)
    assert both.status_code == 400
    asked = {"endpoint": "bees", "name": "learned", "hyperparameters": {"epochs": "2"}}
    made = client.post(path, asked, **JSON)
    assert made.status_code == 201, made.content
    job = TrainingJob.objects.get()
    assert (job.name, made.json()["training_job"]["id"], made.json()["left_out"]) == ("learned", job.pk, [])
    wanted = {"learning_rate": "0.0001", "use_pretrained_model": "0", "epochs": "2", "num_training_samples": "1"}
    assert job.hyperparameters.items() >= wanted.items()
    assert json.loads(job.hyperparameters["class_map"]) == {"0": "red", "1": "blue", "2": "green"}
    assert job.hyperparameters["label_attribute_name"] == "a2i-retraining"
    assert job.channels["model"] == {"name": "quadrants"}
    (line,) = map(json.loads, storage.read(job.channels["train"]["manifest_uri"]).splitlines())
    assert [box["class_id"] for box in line["a2i-retraining"]["annotations"]] == [0, 2]
    assert Dataset.objects.get().name == made.json()["dataset"]["name"] == "look-again-answers"


def test_the_page_proposes_the_model_that_asked(reviewed):
    endpoint, flow, worker, client = reviewed
    an_answered_loop(endpoint, flow, worker)
    page = reverse("requester:flow-definition-train", args=["look-again"])
    assert page in client.get(reverse("requester:flow-definition", args=["look-again"])).content.decode()
    shown = client.get(page).content.decode()
    model = endpoint.deployments.get().variants.get().model
    assert f'<option value="{model.pk}" selected>quadrants</option>' in shown
    done = client.post(page, {"model": model.pk, "name": ""})
    job = TrainingJob.objects.get()
    assert done["Location"] == reverse("requester:training", args=[job.pk]) and job.name == "quadrants-2"
    again = client.post(page, {"model": model.pk, "name": job.name})
    assert again.status_code == 422 and "already" in again.content.decode()


def test_an_endpoint_of_several_models_does_not_say_which_is_to_learn(reviewed):
    endpoint, flow, worker, client = reviewed
    an_answered_loop(endpoint, flow, worker)

    other = a_model(endpoint.account, "other")
    model = endpoint.deployments.get().variants.get().model
    an_endpoint(endpoint.account, a_config(endpoint.account, model, other, name="both"), name="two")
    refused = client.post(f"{API}flow-definitions/look-again/training-jobs", {"endpoint": "two"}, **JSON)
    assert refused.status_code == 400 and "serves other, quadrants: name one" in refused.content.decode()


def test_conditions_on_the_answer_of_a_service_over_rest():
    user, account = builders.a_requester()
    team = builders.a_team(account=account, workers=1)
    client = Client()
    client.force_login(user)
    client.post(f"{API}human-task-uis", {"name": "labels", "content": "<crowd-form></crowd-form>"}, **JSON)
    low = {
        "ConditionType": "ModerationLabelConfidenceCheck",
        "ConditionParameters": {"ModerationLabelName": "*", "ConfidenceLessThan": 80},
    }
    flow = {
        "name": "moderate",
        "workteam": team.pk,
        "human_task_ui": "labels",
        "title": "Look at labels",
        "description": "Choose those that hold.",
        "output_uri": f"{boundaries.base_of(account)}/reviews",
        "request_source": MODERATION,
        "conditions": {"Conditions": [low]},
    }
    assert client.post(f"{API}flow-definitions", flow, **JSON).status_code == 201
    path = f"{API}flow-definitions/moderate/activations"
    body = {"name": "m-1", "ai_service_request": {}, "ai_service_response": LABELS}
    made = client.post(path, body, **JSON)
    assert made.status_code == 200, made.content
    assert made.json()["activated"] and made.json()["human_loop"]["name"] == "m-1"
    said = made.json()["human_loop_activation_output"]
    assert said["HumanLoopArn"] == made.json()["human_loop"]["arn"]
    assert json.loads(said["HumanLoopActivationConditionsEvaluationResults"]) == {
        "Conditions": [low | {"EvaluationResult": True}]
    }
    sure = {"ModerationLabels": [{"Name": "a", "Confidence": 99, "ParentName": ""}]}
    not_asked = client.post(path, body | {"name": "m-2", "ai_service_response": sure}, **JSON).json()
    assert (not_asked["activated"], not_asked["human_loop"]) == (False, None)
    assert sorted(not_asked["human_loop_activation_output"]) == ["HumanLoopActivationConditionsEvaluationResults"]
    assert HumanLoop.objects.count() == 1
    wrong = client.post(path, body | {"ai_service_response": {}}, **JSON)
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["field"] == "ai_service_response.moderationLabels"
