"""The folder's files as both sides of the process boundary read and write them."""

import json
import math
from pathlib import Path

import pytest

from learning.contract import (
    BadInput,
    JobFolder,
    MetricWriter,
    PredictedBox,
    PredictedClass,
    Prediction,
    read_metrics,
)
from learning.hyperparameters import parse_predict, parse_train

NEEDED = {"label_attribute_name": "boxes"}


def test_hyperparameters_round_trip_as_text(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    given = {**NEEDED, "epochs": 3, "early_stopping": True, "learning_rate": 0.01, "class_map": {"0": "a"}}
    folder.prepare(hyperparameters=given, channels={"train": {}})
    raw = folder.read_hyperparameters()
    assert set(map(type, raw.values())) == {str}
    found = parse_train(raw)
    assert (found.epochs, found.early_stopping, found.learning_rate) == (3, True, 0.01)
    assert found.class_map == {"0": "a"}


def test_names_of_aws_mean_the_same() -> None:
    aws = {
        "base_network": "vgg-16", "use_pretrained_model": "0", "num_classes": "2", "mini_batch_size": "8",
        "epochs": "5", "learning_rate": "0.001", "image_shape": "300", "optimizer": "sgd", "momentum": "0.9",
        "weight_decay": "0.0005", "overlap_threshold": "0.5", "nms_threshold": "0.45", "label_width": "350",
        "num_training_samples": "100", "kv_store": "dist_sync", "lr_scheduler_step": "3,4",
        "lr_scheduler_factor": "0.1", "early_stopping": "False", "_tuning_objective_metric": "validation:mAP",
        "sagemaker_region": "eu-west-1",
    }  # fmt: skip
    found = parse_train(NEEDED | aws)
    assert (found.architecture, found.weights, found.batch_size) == ("ssd300_vgg16", "earlier", 8)
    assert (found.image_size, found.optimizer, found.num_classes) == (300, "sgd", 2)
    assert parse_predict(NEEDED | aws).nms_threshold == 0.45


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "'label_attribute_name' (the manifest key of the boxes) is missing"),
        (NEEDED | {"lerning_rate": "1"}, "'lerning_rate' is not known; did you mean 'learning_rate'?"),
        (NEEDED | {"epochs": "ten"}, "'epochs' is 'ten'; expected a whole number"),
        (NEEDED | {"epochs": "0"}, "'epochs' is 0; allowed: 1 to 100000"),
        (NEEDED | {"learning_rate": "nan"}, "'learning_rate' is nan; allowed: more than 0, at most 1"),
        (NEEDED | {"optimizer": "lion"}, "'optimizer' is 'lion'; allowed: adamw, sgd"),
        (NEEDED | {"base_network": "resnet-18"}, "'base_network' is 'resnet-18'; allowed: vgg-16, resnet-50"),
        (NEEDED | {"class_map": '["a"]'}, "'class_map' is '[\"a\"]'; expected an object such as"),
    ],
)
def test_a_wrong_hyperparameter_is_named(given: dict[str, str], message: str) -> None:
    with pytest.raises(BadInput) as raised:
        parse_train(given)
    assert message in str(raised.value)


def test_a_hyperparameter_that_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    with pytest.raises(BadInput, match=r"hyperparameters.json is missing"):
        folder.read_hyperparameters()
    folder.prepare(hyperparameters=NEEDED, channels={})
    folder.hyperparameters.write_text(json.dumps({"epochs": 3}))
    with pytest.raises(BadInput, match="'epochs' must be a string, found int"):
        folder.read_hyperparameters()
    folder.hyperparameters.write_text("{")
    with pytest.raises(BadInput, match="not JSON"):
        folder.read_hyperparameters()


def test_metrics_are_followed_line_by_line(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    writer = MetricWriter(folder, None)
    writer.write("train:loss", 2.5, step=1, epoch=0)
    first, offset = read_metrics(folder.metrics)
    assert [(m.name, m.value, m.step, m.epoch) for m in first] == [("train:loss", 2.5, 1, 0)]
    writer.write("train:loss", math.nan, step=2, epoch=0)  # no word for it in JSON
    writer.write("train:loss", 2.0, step=3, epoch=1)
    with folder.metrics.open("a") as stream:
        stream.write('{"name": "tr')
    more, end = read_metrics(folder.metrics, offset=offset)
    assert [m.step for m in more] == [3]
    MetricWriter(folder, None).write("train:loss", 1.0, step=4, epoch=1)  # a new start cuts the half line
    assert [m.step for m in read_metrics(folder.metrics, offset=end)[0]] == [4]


def test_a_prediction_round_trips_as_one_line() -> None:
    box = PredictedBox(3, 1.5, 2, 10, 20, 0.75)
    size = {"width": 40, "height": 30, "depth": 3}
    for wanted in (
        Prediction(4, 17, "s3://b/ü.png", size, [box], [0.5]),
        Prediction(5, None, "x", None, [], [], "the image is damaged"),
    ):
        text = wanted.to_line()
        assert text.endswith("\n") and text.count("\n") == 1
        assert Prediction.from_line(text) == wanted
    for wrong in (
        Prediction(4, 17, "a.png", size, [PredictedBox(3, 1.5, 2, 10, float("inf"), 0.75)], []),
        Prediction(4, 17, "a.png", size, [], [0.5, float("nan")]),
        Prediction(4, 17, "a.png", size, [], [], classes=[PredictedClass(0, float("nan"))]),
    ):
        with pytest.raises(ValueError, match=r"'a\.png' has a number that is not finite"):
            wrong.to_line()
    body = json.loads(Prediction(4, 17, "x", size, [box], []).to_line())
    assert body["waggle-object-id"] == 17 and body["source-ref"] == "x"
    assert body["boxes"] == [{"class_id": 3, "left": 1.5, "top": 2, "width": 10, "height": 20, "score": 0.75}]
