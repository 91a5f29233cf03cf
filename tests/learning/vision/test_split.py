"""The division without a validation channel: seeded, kept, and never between pictures that look alike."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeling.formats.images import Limits
from learning.contract import BadInput, JobFolder
from learning.vision import split
from learning.vision.data import Cache, ImageSet
from learning.vision.manifests import Item


def images(root: Path, scenes: Sequence[int], *, refs: Sequence[str] | None = None) -> ImageSet:
    """One picture for each scene number; those of one scene differ by a little noise."""
    items = []
    for number, scene in enumerate(scenes):
        coarse = np.random.default_rng(scene).integers(0, 255, (6, 6, 3), dtype=np.uint8)
        pixels = np.asarray(Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC), dtype=np.int16)
        noise = np.random.default_rng(1000 + number).integers(-2, 3, pixels.shape)
        path = root / f"{number}.png"
        Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(path)
        ref = refs[number] if refs else str(path)
        items.append(Item(number, path, ref, None, np.zeros((0, 4), np.float32), ()))
    return ImageSet(items, class_map={"0": "bee"}, image_size=64, cache=Cache(1 << 22, Limits()))


def divided(root: Path, given: ImageSet, said: list[str] | None = None, **options) -> tuple[list[int], list[int]]:
    root.mkdir(exist_ok=True)
    asked = {"share": 0.2, "seed": 5, "looked_at": True, "log": (said if said is not None else []).append} | options
    train, validation = split.divide(JobFolder(root), given, **asked)
    return [item.index for item in train], [item.index for item in validation]


def test_pictures_that_look_alike_stay_on_one_side_whatever_the_seed(tmp_path: Path) -> None:
    scenes = [number // 3 for number in range(30)]
    given = images(tmp_path, scenes)
    found = set()
    for seed in range(6):
        train, validation = divided(tmp_path / f"{seed}", given, seed=seed)
        assert sorted(train + validation) == list(range(30)) and len(validation) == 6
        assert not {scenes[place] for place in train} & {scenes[place] for place in validation}
        found.add(tuple(validation))
    assert len(found) > 3, "another seed divides otherwise"
    assert divided(tmp_path / "again", given, seed=2) == divided(tmp_path / "2", given, seed=99)


def test_the_division_of_a_run_stays_and_is_said(tmp_path: Path) -> None:
    given = images(tmp_path, range(10))
    said: list[str] = []
    first = divided(tmp_path / "run", given, said)
    assert divided(tmp_path / "run", given, said, share=0.5, seed=9) == first
    assert "no validation channel: 2 of 10 images (0.2, seed 5) are set aside" in said[0]
    assert said[1] == "validation: 2 images, as this run divided them when it began"


def test_shares_are_the_usual_ones_or_those_asked_for(tmp_path: Path) -> None:
    given = images(tmp_path, range(10))
    assert len(divided(tmp_path / "a", given, share=-1)[1]) == 2
    assert len(divided(tmp_path / "b", given, share=0.5)[1]) == 5


def test_pictures_that_all_look_alike_are_divided_by_chance(tmp_path: Path) -> None:
    said: list[str] = []
    train, validation = divided(tmp_path / "run", images(tmp_path, [1] * 10), said)
    assert (len(train), len(validation)) == (8, 2)
    assert "almost all look alike" in said[0]


def test_streamed_pictures_are_compared_by_address_alone_and_not_opened(tmp_path: Path) -> None:
    given = images(tmp_path, range(12), refs=[f"s3://b/{number // 4}.png" for number in range(12)])
    for path in tmp_path.glob("*.png"):
        path.unlink()
    train, validation = divided(tmp_path / "run", given, share=0.34, looked_at=False)
    assert len(validation) == 4 and len({place // 4 for place in validation}) == 1


def test_too_few_images_train_without_validation_unless_it_was_asked_for(tmp_path: Path) -> None:
    given = images(tmp_path, [1])
    assert divided(tmp_path / "a", given, share=-1) == ([0], [])
    with pytest.raises(BadInput, match="1 images do not suffice to set 0.2 of them aside"):
        divided(tmp_path / "b", given)
