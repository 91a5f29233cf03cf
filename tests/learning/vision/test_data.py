"""Manifests, batches and scores, each against what can be worked out by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeling.formats.images import Limits
from learning.contract import BadInput, PredictedBox
from learning.vision.augment import train_transform
from learning.vision.data import Cache, ImageSet, steps_per_epoch
from learning.vision.evaluate import Truth, average_precision
from learning.vision.loading import batches
from learning.vision.manifests import Item, read_items, read_labels, resolve_class_map

NAMES = {"0": "red", "3": "blue"}


def manifest(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "train" / "manifest.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return path


def line(*boxes: tuple[int, int, int, int, int], class_map: dict | None = None, **more: object) -> dict:
    keys = ("class_id", "left", "top", "width", "height")
    annotations = [dict(zip(keys, box, strict=True)) for box in boxes]
    body = {"source-ref": "a.png", "b": {"annotations": annotations, "image_size": []}}
    return body | {"b-metadata": {"class-map": class_map or {}}} | more


def test_lines_become_items(tmp_path: Path) -> None:
    path = manifest(
        tmp_path,
        line((0, 1, 2, 10, 20), class_map={"0": "cat"}) | {"waggle-object-id": 7},
        line(),
        {"source-ref": "file:///data/with%20space.png"},
        {"source-ref": "/x.png", "b-metadata": {"failure-reason": "ClientError: ..."}},
    )
    found = read_labels(path, "b")
    assert [item.number for item in found.items] == [1, 2] and found.unlabeled == 2
    assert found.items[0].boxes.tolist() == [[1, 2, 11, 22]] and found.items[0].object_id == 7
    assert found.items[1].boxes.shape == (0, 4)  # a true negative is a label
    paths = [item.path for item in read_items(path)]
    assert paths == [path.parent / "a.png"] * 2 + [Path("/data/with space.png"), Path("/x.png")]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([line(), "{not json\n"], "train channel, line 2: is not valid JSON"),
        ([line(), {"source": "words"}], "train channel, line 2: 'source-ref' is missing"),
        ([line(), line(**{"source-ref": "s3://b/k.png"})], "line 2: 'source-ref' must be a local file here"),
        ([line((0, 1, 2, "x", 4))], "line 1: b.annotations[0].width must be a number"),
        ([line(class_map={"0": "cat"}), line(class_map={"0": "dog"})], "line 2: class 0 is 'dog', but 'cat' in"),
        ([line(class_map={"0": "dog"}), line(class_map={"3": "dog"})], "line 2: 'dog' is class 3, but 0 in an earlier"),
        ([line() | {"waggle-object-id": "7"}], "line 1: 'waggle-object-id' must be a whole number"),
        ([{"source-ref": "a.png", "other": 1}], "no line has a label under 'b'; keys found: other, source-ref"),
        ([], "no line has a label under 'b' (the manifest is empty)"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, lines: list, message: str) -> None:
    with pytest.raises(BadInput) as raised:
        read_labels(manifest(tmp_path, *lines), "b")
    assert message in str(raised.value)


def test_classes_come_from_the_hyperparameters_or_the_manifests(tmp_path: Path) -> None:
    labels = {"train": read_labels(manifest(tmp_path, line((3, 0, 0, 5, 5), class_map={"3": "blue"})), "b")}
    assert resolve_class_map({}, 0, labels) == {"3": "blue"}
    assert resolve_class_map({}, 5, labels)["3"] == "blue" and len(resolve_class_map({}, 5, labels)) == 5
    assert list(resolve_class_map({"10": "a", "3": "b"}, 0, labels)) == ["3", "10"]
    with pytest.raises(BadInput, match="train channel, line 1: class_id 3 is not one of the classes"):
        resolve_class_map({}, 2, labels)
    with pytest.raises(BadInput, match="'num_classes' is 3, but 'class_map' has 2"):
        resolve_class_map({"3": "a", "4": "b"}, 3, labels)
    empty = {"train": read_labels(manifest(tmp_path, line()), "b")}
    with pytest.raises(BadInput, match="there is no class to learn"):
        resolve_class_map({}, 0, empty)


def images(tmp_path: Path, count: int, *, cache: int = 1 << 20) -> ImageSet:
    items = []
    for place in range(count):
        path = tmp_path / f"{place}.png"
        Image.new("RGB", (40, 20), (place, 0, 0)).save(path)
        boxes = np.array([[-10, 5, 20, 15], [50, 5, 60, 10], [0, 0, 40, 20]], np.float32)
        items.append(Item(place, path, str(path), None, boxes, (0, 3, 3)))
    return ImageSet(items, class_map=NAMES, image_size=64, cache=Cache(cache, Limits()))


def test_boxes_beyond_the_edge_are_cut_and_those_outside_dropped(tmp_path: Path) -> None:
    found = images(tmp_path, 1)
    truth = found.truth(0)
    assert truth.boxes.tolist() == [[0, 5, 20, 15], [0, 0, 40, 20]] and list(truth.class_ids) == [0, 3]
    plain = train_transform("none")
    pixels, targets = next(batches(found, augment=plain, batch_size=1, seed=0, first_step=0, num_workers=0))
    assert pixels.shape == (1, 3, 64, 64)
    assert targets[0, :2].tolist() == [[0, 16, 32, 48, 1], [0, 0, 64, 64, 2]]
    assert not targets[0, 2:].any()


@pytest.mark.parametrize(("workers", "cache"), [(0, 1 << 20), (0, 0), (2, 1 << 20)])
def test_a_resumed_run_sees_what_it_would_have_seen(tmp_path: Path, workers: int, cache: int) -> None:
    found = images(tmp_path, 7, cache=cache)
    assert steps_per_epoch(7, 3) == 2

    def first(count: int, first_step: int) -> list[tuple[list, list]]:
        options = {"augment": train_transform("standard"), "batch_size": 3, "seed": 4, "num_workers": workers}
        source = batches(found, first_step=first_step, **options)
        return [(pixels.tolist(), targets.tolist()) for _, (pixels, targets) in zip(range(count), source, strict=False)]

    whole = first(6, 0)
    assert first(3, 3) == whole[3:]
    assert whole[0] != whole[2]  # each epoch has an order and changes of its own


def test_fewer_images_than_a_batch_are_repeated(tmp_path: Path) -> None:
    source = batches(
        images(tmp_path, 1), augment=train_transform("none"), batch_size=4, seed=0, first_step=0, num_workers=0
    )
    assert len(next(source)[1]) == 4


def test_the_cache_keeps_to_its_limit_and_unreadable_images_are_left_out(tmp_path: Path) -> None:
    found = images(tmp_path, 5, cache=2 * 64 * 64 * 3)
    (tmp_path / "1.png").write_bytes(b"no image")
    refused = found.preload(stop=lambda: False)
    assert [one.number for one in refused] == [2] and len(found) == 4
    assert [found.picture(place).width for place in range(4)] == [40] * 4


# --- scores -----------------------------------------------------------------------------------


def boxes(*found: tuple[int, int, float]) -> list[PredictedBox]:
    """(class id, left, score) of boxes 10 x 10 at the top."""
    return [PredictedBox(class_id, left, 0, 10, 10, score) for class_id, left, score in found]


def test_average_precision_by_hand() -> None:
    # given four red boxes in two images, and one blue
    square = [[left, 0, left + 10, 10] for left in (0, 20, 40)]
    truth = [Truth(np.array(square, np.float32), [0, 0, 3]), Truth(np.array(square[:2], np.float32), [0, 0])]
    # true .9, false .8, true .7: precision 1 up to recall 1/4, then 2/3 up to recall 1/2, then nothing
    found = [boxes((0, 0, 0.9), (0, 70, 0.8), (3, 40, 0.5)), boxes((0, 20, 0.7))]
    scores = average_precision(truth, found, class_map=NAMES)
    # 101 recall points: 0 .. 0.25 are 26 of them, 0.26 .. 0.50 are 25
    red = (26 * 1 + 25 * 2 / 3) / 101
    assert scores.by_class_50 == pytest.approx({"red": red, "blue": 1.0})
    assert scores.mean_50 == scores.mean == pytest.approx((red + 1) / 2)


def test_a_shifted_box_counts_only_up_to_its_overlap() -> None:
    truth = [Truth(np.array([[0, 0, 10, 10]], np.float32), [0])]
    # shifted by 2 of 10: IoU 8 / 12 = .667, right at .50 .55 .60 .65 of the ten thresholds
    scores = average_precision(truth, [boxes((0, 2, 0.9))], class_map={"0": "red"}, overlap_threshold=0.7)
    assert scores.mean == pytest.approx(0.4)
    assert (scores.mean_50, scores.at_overlap) == (1, 0)


def test_average_precision_is_nan_without_truth_and_0_without_predictions() -> None:
    nothing = Truth(np.zeros((0, 4), np.float32), [])
    assert np.isnan(average_precision([nothing], [boxes((0, 0, 0.9))], class_map=NAMES).mean)
    one = Truth(np.array([[0, 0, 10, 10]], np.float32), [3])
    scores = average_precision([one, nothing], [[], []], class_map=NAMES)
    assert scores.mean == 0 and np.isnan(scores.by_class_50["red"])
    with pytest.raises(ValueError, match="2 images with truth but predictions for 1"):
        average_precision([one, nothing], [[]], class_map=NAMES)
