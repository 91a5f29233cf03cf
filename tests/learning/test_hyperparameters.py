"""The hyperparameters of AWS's built-in object detection: names, ranges, defaults, and ours beside them."""

import dataclasses
import re
from pathlib import Path

import pytest

from learning.contract import BadInput
from learning.hyperparameters import (
    ALIASES,
    AUGMENTATIONS,
    BUILTIN_DEFAULTS,
    TrainHyperparameters,
    allowed,
    parse_predict,
    parse_train,
)

NEEDED = {"label_attribute_name": "boxes"}
DOCS = Path(__file__).resolve().parents[2] / "docs" / "training.md"


@pytest.mark.parametrize(
    ("name", "value", "range_"),
    [
        ("num_classes", "0", "1 or more"),
        ("num_training_samples", "0", "1 or more"),
        ("epochs", "0", "1 to 100000"),
        ("image_shape", "0", "64 to 2048"),
        ("image_shape", "63", "64 to 2048"),
        ("mini_batch_size", "0", "1 to 4096"),
        ("learning_rate", "0", "more than 0, at most 1"),
        ("learning_rate", "1.01", "more than 0, at most 1"),
        ("lr_scheduler_factor", "1", "more than 0, less than 1"),
        ("momentum", "1.5", "0 to 1"),
        ("weight_decay", "1", "at least 0, less than 1"),
        ("weight_decay", "-1", "at least 0, less than 1"),
        ("overlap_threshold", "0", "more than 0, at most 1"),
        ("nms_threshold", "1.2", "more than 0, at most 1"),
        ("label_width", "0", "1 or more"),
        ("early_stopping_min_epochs", "0", "1 or more"),
        ("early_stopping_patience", "0", "1 or more"),
        ("early_stopping_tolerance", "1.1", "0 to 1"),
        ("max_seconds", "inf", "0 or more"),
        ("time_budget", "-1", "0 or more"),
    ],
)
def test_a_number_outside_its_range_is_named_as_it_was_given(name: str, value: str, range_: str) -> None:
    with pytest.raises(BadInput) as raised:
        parse_train(NEEDED | {name: value})
    assert str(raised.value) == f"hyperparameter {name!r} is {value}; allowed: {range_}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"base_network": "vgg16"}, "'base_network' is 'vgg16'; allowed: vgg-16, resnet-50"),
        ({"kv_store": "dist"}, "'kv_store' is 'dist'; allowed: dist_sync, dist_async"),
        ({"optimizer": "nag"}, "'optimizer' is 'nag'; allowed: adamw, sgd, adam, rmsprop, adadelta"),
        ({"use_pretrained_model": "2"}, "'use_pretrained_model' is '2'; expected true or false"),
        ({"early_stopping": "maybe"}, "'early_stopping' is 'maybe'; expected true or false"),
        ({"momentum": "much"}, "'momentum' is 'much'; expected a number"),
        ({"lr_scheduler_step": "3,x"}, "'lr_scheduler_step' is '3,x'; expected epochs from 1 on such as '8,12'"),
        ({"lr_scheduler_step": "0"}, "'lr_scheduler_step' is '0'; expected epochs from 1 on"),
        ({"freeze_layer_pattern": "^(conv1_"}, "'freeze_layer_pattern' is '^(conv1_': missing )"),
        ({"augmentation": "wild"}, "'augmentation' is 'wild'; allowed: auto, none"),
        ({"preset": "aws"}, "'preset' is 'aws'; allowed: auto, builtin"),
        ({"batch_size": "8", "mini_batch_size": "9"}, "'batch_size' and 'mini_batch_size' are the same thing"),
        ({"base_network": "vgg-16", "architecture": "compact"}, "'base_network' 'vgg-16' means 'ssd300_vgg16'"),
        ({"use_pretrained_model": "0", "weights": "auto"}, "'use_pretrained_model' '0' means 'earlier': give only one"),
    ],
)
def test_a_wrong_word_is_named_with_what_is_expected(given: dict[str, str], message: str) -> None:
    with pytest.raises(BadInput) as raised:
        parse_train(NEEDED | given)
    assert message in str(raised.value)


def test_the_ends_of_the_ranges_are_as_aws_has_them() -> None:
    found = parse_train(
        NEEDED
        | {
            "learning_rate": "1", "overlap_threshold": "1", "nms_threshold": "1", "momentum": "1", "weight_decay": "0",
            "early_stopping_tolerance": "1", "lr_scheduler_step": " 9, 3", "label_width": "350", "image_size": "0",
        }
    )  # fmt: skip
    assert (found.learning_rate, found.overlap_threshold, found.nms_threshold, found.momentum) == (1, 1, 1, 1)
    assert found.weight_decay == 0 and found.image_size == 0


def test_a_set_that_names_its_network_as_aws_does_gets_awss_defaults() -> None:
    found = parse_train(NEEDED | {"base_network": "resnet-50", "num_classes": "3", "num_training_samples": "40"})
    assert (found.preset, found.architecture) == ("builtin", "ssd300_resnet50")
    assert (found.epochs, found.image_size, found.batch_size) == (30, 300, 32)
    assert (found.optimizer, found.learning_rate, found.momentum, found.weight_decay) == ("sgd", 0.001, 0.9, 0.0005)
    assert (found.lr_scheduler_factor, found.lr_scheduler_step, found.label_width) == (0.1, "", 350)
    assert (found.overlap_threshold, found.nms_threshold, found.early_stopping) == (0.5, 0.45, False)
    assert (found.early_stopping_min_epochs, found.early_stopping_patience) == (10, 5)
    assert (found.early_stopping_tolerance, found.weights) == (0.0, "auto")


def test_what_is_given_goes_before_both_presets() -> None:
    given = {"mini_batch_size": "8", "optimizer": "adam", "image_shape": "512"}
    for preset in ({"base_network": "vgg-16"}, {"preset": "builtin"}, {"preset": "auto"}, {}):
        found = parse_train(NEEDED | given | preset)
        assert (found.batch_size, found.optimizer, found.image_size) == (8, "adam", 512)
    assert parse_train(NEEDED | {"base_network": "vgg-16", "preset": "auto"}).learning_rate == 0
    assert parse_train(NEEDED | {"preset": "builtin"}).architecture == "ssd300_vgg16"
    assert parse_train(NEEDED | {"preset": "builtin", "optimizer": "adadelta"}).learning_rate == 0
    assert parse_train(NEEDED).preset == "auto"


def test_a_prediction_takes_the_models_own_suppression_unless_told() -> None:
    assert parse_predict({"base_network": "vgg-16", "kv_store": "dist_sync", "label_width": "5"}).nms_threshold == 0
    assert parse_predict({"nms_threshold": "0.6"}).nms_threshold == 0.6
    with pytest.raises(BadInput, match="'nms_threshold' is 0; allowed: more than 0, at most 1"):
        parse_predict({"nms_threshold": "0"})


def rows() -> dict[str, list[str]]:
    """The rows of the tables of docs/training.md: our name -> cells."""
    found = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 5 and (name := re.fullmatch(r"`(\w+)`", cells[1])):
            found[name[1]] = cells
    return found


@pytest.mark.parametrize("spec", dataclasses.fields(TrainHyperparameters), ids=lambda spec: spec.name)
def test_the_documentation_says_range_and_default(spec: dataclasses.Field) -> None:
    _, _, _, range_, default = rows()[spec.name]
    if said := allowed(spec.metadata):
        assert range_ == said
    if spec.default not in (dataclasses.MISSING, 0, -1.0, "", False) and spec.metadata.get("low") != 1:
        assert str(spec.default) in default.replace(",", "")


def test_the_documentation_has_awss_names_and_defaults() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for theirs, ours in ALIASES.items():
        if theirs != "time_budget":
            assert rows()[ours][0] == f"`{theirs}`"
    for ours, value in BUILTIN_DEFAULTS.items():
        assert value in rows()[ours][4], ours
    for name in ("base_network", "use_pretrained_model", "kv_store", "label_width", "num_training_samples"):
        assert f"`{name}`" in text


def test_the_augmentations_are_those_of_the_program() -> None:
    from learning.vision.augment import PRESETS

    assert set(AUGMENTATIONS) == {"auto", *PRESETS}
