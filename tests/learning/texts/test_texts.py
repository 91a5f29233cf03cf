"""Training and predicting classes of texts in job folders: the programs run as the supervisor would run them."""

import json

import numpy as np
import pytest

from learning.contract import (
    EXIT_BAD_INPUT,
    EXIT_DONE,
    TRAIN,
    BadInput,
    ModelConfig,
    read_metrics,
    read_predictions,
)
from learning.family_hyperparameters import parse_training
from learning.program import run
from learning.serving.archive import pack_model, unpack_model
from learning.texts import predict, train
from learning.texts.model import TextModel
from tests.learning.texts.sentences import TOPICS, a_prediction, a_training, texts


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training on 90 texts with one class each, that is over."""
    folder = a_training(tmp_path_factory.mktemp("one"), train=texts(90), validation=texts(60, seed=1))
    assert run(train.work, about="", arguments=[str(folder.root)]) == EXIT_DONE, folder.read_failure()
    return folder


def figures(folder):
    return {metric.name: metric.value for metric in read_metrics(folder.metrics)[0]}


def test_a_classifier_learns_topics_and_says_how_well(trained):
    found = figures(trained)
    assert found["validation:accuracy"] > 0.9
    assert found["train:progress"] == 1.0
    config = ModelConfig.read(trained.model)
    assert list(config.class_map.values()) == sorted(TOPICS) or set(config.class_map.values()) == set(TOPICS)
    assert config.metrics["accuracy"] == pytest.approx(found["validation:accuracy"], abs=1e-6)
    assert {f"F1:{topic}" for topic in TOPICS} <= config.metrics.keys()
    assert sorted(path.name for path in trained.model.iterdir()) == ["config.json", "model.safetensors"]


def test_predictions_give_every_class_a_chance_and_texts_a_place(trained, tmp_path):
    rows = texts(30, seed=2)
    as_file = tmp_path / "a.txt"
    as_file.write_text(rows[0][0])
    lines = [{"source-ref": str(as_file)}, *({"source": text} for text, _ in rows[1:]), {"source-ref": "/no/such.txt"}]
    folder = a_prediction(tmp_path / "p", model=trained.model, rows=lines)
    assert run(predict.work, about="", arguments=[str(folder.root)]) == EXIT_DONE, folder.read_failure()
    found = list(read_predictions(folder.predictions))
    assert [one.object_id for one in found] == list(range(10, 41))
    config = ModelConfig.read(trained.model)
    best = [max(one.classes, key=lambda each: each.score) for one in found[:-1]]
    right = [config.class_map[str(one.class_id)] == topics[0] for one, (_, topics) in zip(best, rows, strict=True)]
    assert np.mean(right) > 0.9
    assert all(sum(each.score for each in one.classes) == pytest.approx(1, abs=1e-4) for one in found[:-1])
    assert found[-1].classes == [] and "No such file" in found[-1].error
    # Texts about the same are nearer to each other than texts about different things.
    vectors = np.array([one.embedding for one in found[:-1]])
    distance = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    same = np.array([[a[1] == b[1] for b in rows] for a in rows])
    assert distance[same & ~np.eye(30, dtype=bool)].mean() < distance[~same].mean()


def test_a_prediction_goes_on_after_the_last_whole_line(trained, tmp_path):
    lines = [{"source": text} for text, _ in texts(12, seed=3)]
    folder = a_prediction(tmp_path / "p", model=trained.model, rows=lines, batch_size=5)
    assert run(predict.work, about="", arguments=[str(folder.root)]) == EXIT_DONE
    whole = folder.predictions.read_bytes()
    folder.predictions.write_bytes(whole[: len(whole) // 2])
    assert run(predict.work, about="", arguments=[str(folder.root)]) == EXIT_DONE
    assert folder.predictions.read_bytes() == whole


def test_with_several_classes_each_has_a_chance_of_its_own(tmp_path):
    folder = a_training(
        tmp_path / "t",
        train=texts(150, several=True),
        validation=texts(60, seed=1, several=True),
        multi_label=True,
        class_map={str(k): topic for k, topic in enumerate(TOPICS)},
    )
    assert run(train.work, about="", arguments=[str(folder.root)]) == EXIT_DONE, folder.read_failure()
    found = figures(folder)
    assert found["validation:jaccard"] > 0.75
    config = ModelConfig.read(folder.model)
    model = TextModel.read(folder.model, config)
    chances = model.chances(model.features(["rain wind storm and soup bread oven", "the a today very they"]))
    assert chances[0, 0] > 0.5 and chances[0, 2] > 0.5 > chances[0, 1]
    assert (chances[1] < 0.5).all()


def test_a_class_that_no_text_has_is_never_predicted_and_one_class_alone_always(tmp_path):
    every = {str(k): topic for k, topic in enumerate(TOPICS)}
    for name, topics, sure in (("two", TOPICS[:2], 2), ("one", TOPICS[:1], 1)):
        rows = [row for row in texts(30) if row[1][0] in topics]
        folder = a_training(tmp_path / name, train=rows, class_map=every)
        assert run(train.work, about="", arguments=[str(folder.root)]) == EXIT_DONE, folder.read_failure()
        model = TextModel.read(folder.model, ModelConfig.read(folder.model))
        chances = model.chances(model.features(["rain and goal and soup"]))
        assert chances[0, :sure].sum() == pytest.approx(1.0, abs=1e-6)


def test_scripts_without_spaces_are_read_by_characters(tmp_path):
    rows = [("今日は大雨で風が強い天気です", ("weather",)), ("昨日の試合で選手が得点した", ("sport",))] * 12
    folder = a_training(tmp_path / "t", train=rows)
    assert run(train.work, about="", arguments=[str(folder.root)]) == EXIT_DONE, folder.read_failure()
    config = ModelConfig.read(folder.model)
    assert config.preprocessing["characters"] is True
    model = TextModel.read(folder.model, config)
    classes = list(config.class_map.values())
    assert classes[int(model.chances(model.features(["明日は雨で風"]))[0].argmax())] == "weather"


def test_what_is_wrong_with_the_input_is_named_by_line(tmp_path):
    folder = a_training(tmp_path / "t", train=texts(6), class_map={"0": "weather", "1": "sport"})
    assert run(train.work, about="", arguments=[str(folder.root)]) == EXIT_BAD_INPUT
    assert folder.read_failure() == "train channel, line 3: 'food' is not one of the classes (sport, weather)"
    lines = folder.manifest(TRAIN).read_text().splitlines()
    folder.manifest(TRAIN).write_text("\n".join([lines[0], json.dumps({"source": "x", "topic": [1]})]))
    assert run(train.work, about="", arguments=[str(folder.root)]) == EXIT_BAD_INPUT
    assert "train channel, line 2: 'topic' is not a single-choice label" in folder.read_failure()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"architecture": "yolo"}, "'architecture' is 'yolo'; allowed: compact, .*tfidf_logistic_regression"),
        ({"architecture": "tfidf_logistic_regression", "ngrams": "9"}, "'ngrams' is 9; allowed: 1 to 5"),
        ({"architecture": "tfidf_logistic_regression", "image_size": "32"}, "'image_size' is not known"),
        ({"architecture": "tfidf_logistic_regression", "label_attribute_name": ""}, "'label_attribute_name'"),
        ({"architecture": "lraspp_mobilenet_v3_large", "multi_label": "true"}, "'multi_label' is not for masks"),
        ({"architecture": "resnet18", "label_smoothing": "2"}, "'label_smoothing' is 2; allowed: 0 to 0.5"),
    ],
)
def test_hyperparameters_of_each_family_are_checked(given, said):
    with pytest.raises(BadInput, match=said):
        parse_training({"label_attribute_name": "topic"} | given)


def test_a_text_model_is_packed_without_a_graph_and_a_damaged_one_is_refused(trained, tmp_path):
    pack_model(trained.model, tmp_path / "model.tar.gz")
    unpack_model(tmp_path / "model.tar.gz", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["config.json", "model.safetensors"]
    config = ModelConfig.read(tmp_path / "out")
    assert TextModel.read(tmp_path / "out", config).terms == TextModel.read(trained.model, config).terms
    (tmp_path / "out" / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(BadInput, match="does not fit the model that config.json describes"):
        TextModel.read(tmp_path / "out", config)
