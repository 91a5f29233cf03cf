"""Scenes of abstract objects, from which the starting checkpoint is learned: exact, and the same from the same seed."""

import numpy as np
import pytest

from learning.scenes import abstract as scenes
from learning.scenes.sprites import SHAPES, TEXTURES, sprite


@pytest.fixture(scope="module")
def bank():
    return scenes.draw_bank(np.random.default_rng(3), sprites=60, grounds=4, side=220)


def test_every_shape_and_texture_can_be_drawn():
    rng = np.random.default_rng(0)
    drawn = [sprite(rng) for _ in range(300)]
    assert {s.shape for s in drawn} == set(range(len(SHAPES)))
    assert {s.texture for s in drawn} == set(range(len(TEXTURES)))
    for one in drawn[:30]:
        solid = np.asarray(one.picture.getchannel("A")) > 127
        assert solid.any(0)[[0, -1]].all() and solid.any(1)[[0, -1]].all()  # cut tightly


def test_boxes_lie_in_the_scene_and_kinds_are_known(bank):
    rng = np.random.default_rng(5)
    counts = []
    for _ in range(30):
        scene = scenes.compose(rng, bank, 160)
        assert scene.image.size == (160, 160) and scene.image.mode == "RGB"
        assert scene.boxes.shape == (len(scene.kinds), 4)
        if len(scene.kinds):
            assert scene.boxes.min() >= 0 and scene.boxes.max() <= 160
            assert (scene.boxes[:, 2:] - scene.boxes[:, :2]).min() >= scenes.LEAST_SIDE
            assert scene.kinds.min() >= 0 and scene.kinds.max() < scenes.KINDS
        counts.append(len(scene.kinds))
    assert min(counts) <= 3 and max(counts) >= 8


def test_the_seed_decides_the_scene(bank):
    first, second = (scenes.compose(np.random.default_rng(9), bank, 128) for _ in "ab")
    assert first.image.tobytes() == second.image.tobytes() and np.array_equal(first.boxes, second.boxes)


def test_membership_names_thing_shape_and_texture():
    table = scenes.membership()
    assert table.shape == (scenes.KINDS, 1 + len(SHAPES) + len(TEXTURES))
    assert (table.sum(1) == 3).all() and (table[:, 0] == 1).all()
    assert len(np.unique(table, axis=0)) == scenes.KINDS
