"""What a model predicted as the input of a human loop."""

import orjson
import pytest

from learning.services import review_loops

BODY = orjson.dumps(
    {"prediction": [[1.0, 0.3, 0.5, 0.5, 0.75, 1.0], [0.0, 0.45, 0.1, 0.2, 0.3, 0.4], [0.0, 0.001, 0, 0, 1, 1]]}
)
NAMES = {"0": "bee", "1": "wasp"}


def test_a_prediction_becomes_what_the_template_of_a_loop_reads() -> None:
    """Whole pixels, best first, without boxes that nobody would look at; the highest score counts all boxes."""
    boxes = review_loops.predicted_boxes(BODY, names=NAMES, width=200, height=100)
    assert [(box.label, box.confidence) for box in boxes] == [("bee", 0.45), ("wasp", 0.3), ("bee", 0.001)]
    said = review_loops.prediction_input(
        picture="s3://pictures/1.jpg", boxes=boxes, model_name="bees-1", endpoint="bees", inference_id="7"
    )
    assert orjson.loads(said.pop("initialValue")) == [
        {"label": "bee", "left": 20, "top": 20, "width": 40, "height": 20},
        {"label": "wasp", "left": 100, "top": 50, "width": 50, "height": 50},
    ]
    assert said == {
        "taskObject": "s3://pictures/1.jpg",
        "scores": [0.45, 0.3],
        "highestScore": 0.45,
        "modelName": "bees-1",
        "endpoint": "bees",
        "inferenceId": "7",
    }


def test_the_conditions_are_echoed_where_there_are_any() -> None:
    """And a picture without a prediction has an empty initial value."""
    results = {"Conditions": [{"ConditionType": "NoPredictionCheck", "EvaluationResult": True}]}
    said = review_loops.prediction_input(picture="s3://pictures/1.jpg", boxes=[], condition_results=results)
    assert said["humanTaskActivationConditionResults"] == results
    assert (said["initialValue"], said["highestScore"]) == ("[]", 0.0)


def test_a_class_without_a_name_is_no_prediction_of_this_model() -> None:
    """It is refused."""
    with pytest.raises(KeyError):
        review_loops.predicted_boxes(BODY, names={"0": "bee"}, width=10, height=10)
