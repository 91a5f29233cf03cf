"""The preset `auto`: the input's size and the augmentation follow the labeled objects."""

from pathlib import Path

import numpy as np
import pytest

from learning.hyperparameters import parse_train
from learning.vision import preset
from learning.vision.manifests import Item

WIDTH, HEIGHT = 1000, 500


def items(*shares: float, class_id: int = 0, size: tuple[int, int] | None = (WIDTH, HEIGHT)) -> list[Item]:
    """One image for each share: a box of that part of the image's width and height."""
    boxes = [np.array([[0, 0, share * WIDTH, share * HEIGHT]], np.float32) for share in shares]
    return [Item(n, Path("a.png"), "a.png", None, box, (class_id,), size) for n, box in enumerate(boxes)]


def asked(**given: str):
    return parse_train({"label_attribute_name": "boxes", **given})


def size_for(share: float, **given: str) -> int:
    return preset.decide(asked(**given), items(*[share] * 20))[0].image_size


def test_smaller_objects_get_a_larger_input_within_its_limits() -> None:
    sizes = [size_for(share) for share in (0.02, 0.025, 0.04, 0.2, 0.4, 0.5, 0.9)]
    assert sizes == [512, 480, 320, 320, 256, 192, 160] == sorted(sizes, reverse=True)
    assert (preset.LEAST, preset.MOST) == (160, 512)
    ssd = {name: size_for(0.05, architecture=name) for name in preset.SMALL_PIXELS}
    assert ssd == {
        "compact": 320,
        "ssdlite320_mobilenet_v3_large": 512,  # its finest map is coarser
        "ssd300_vgg16": 448,
        "ssd300_resnet50": 448,
    }


def test_the_class_with_the_smallest_objects_decides() -> None:
    rare = items(*[0.03] * 10, class_id=7)
    chosen, reason = preset.decide(asked(), items(*[0.5] * 500) + rare)
    assert chosen.image_size == 416
    assert "at most 3.0% of an image, 12 of 416 pixels" in reason
    few = items(*[0.03] * 3, class_id=7)  # three boxes say little about a class
    assert preset.decide(asked(), items(*[0.5] * 500) + few)[0].image_size == 192


def test_very_small_objects_are_learned_from_crops() -> None:
    chosen, reason = preset.decide(asked(), items(*[0.02] * 20))
    assert chosen.augmentation == "close_up" and "even 512 pixels are too few" in reason
    assert preset.decide(asked(), items(*[0.03] * 20))[0].augmentation == "auto"
    assert preset.decide(asked(augmentation="light"), items(*[0.02] * 20))[0].augmentation == "light"


def test_what_was_given_stays_and_a_model_goes_on_at_its_size() -> None:
    small = items(*[0.02] * 20)
    assert preset.decide(asked(image_size="160"), small)[0] == asked(image_size="160")
    chosen, reason = preset.decide(asked(), small, earlier_size=288)
    assert chosen.image_size == 288 and "the model to start from" in reason
    assert preset.decide(asked(preset="builtin"), small)[0] == asked(preset="builtin")


@pytest.mark.parametrize("architecture", ["compact", "ssd300_vgg16"])
def test_without_sizes_the_architectures_own_is_taken(architecture: str) -> None:
    for labels in ([], items(0.1, 0.2, size=None)):
        chosen, reason = preset.decide(asked(architecture=architecture), labels)
        assert chosen.image_size == (320 if architecture == "compact" else 300)
        assert "do not say how large" in reason


def test_boxes_count_as_far_as_they_are_inside_the_image() -> None:
    outside = [
        Item(0, Path("a"), "a", None, np.array([[-50, 0, 50, 100], [900, 0, 900, 90]], np.float32), (0, 0), (100, 100))
    ]
    (sizes,) = preset.relative_sizes(outside)
    assert sizes.tolist() == [pytest.approx(0.5**0.5)]


def test_a_number_of_samples_that_differs_from_the_data_is_said() -> None:
    assert preset.check_samples(asked(), 12) == preset.check_samples(asked(num_training_samples="12"), 12) == ""
    assert preset.check_samples(asked(num_training_samples="40"), 12) == (
        "hyperparameter 'num_training_samples' is 40, but the train channel has 12 labeled images"
    )
