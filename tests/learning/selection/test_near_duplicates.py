"""Near-duplicates: what looks alike is one group, what does not is not, and the groups are those of all pairs."""

import io

import numpy as np
from PIL import Image

from learning.selection import near_duplicates


def a_scene(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC)


def hash_of(image: Image.Image) -> int:
    return near_duplicates.picture_hash(np.asarray(image))


def bits(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def test_what_was_packed_again_scaled_or_lightened_looks_alike_and_another_scene_does_not():
    image = a_scene(1)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=30)
    same = [Image.open(out), image.resize((80, 80)), Image.eval(image, lambda value: value // 2 + 40)]
    assert max(bits(hash_of(image), hash_of(other)) for other in same) <= near_duplicates.DISTANCE
    assert min(bits(hash_of(image), hash_of(a_scene(seed))) for seed in range(2, 12)) > near_duplicates.DISTANCE


def test_groups_are_those_of_all_pairs_within_the_distance():
    rng = np.random.default_rng(0)
    hashes = np.repeat(rng.integers(0, 2**63, 60, dtype=np.uint64), 8)
    for _ in range(6):
        bit = np.uint64(1) << rng.integers(0, 64, len(hashes)).astype(np.uint64)
        hashes ^= np.where(rng.random(len(hashes)) < 0.5, bit, np.uint64(0))
    near = np.bitwise_count(hashes[:, None] ^ hashes[None]) <= near_duplicates.DISTANCE
    wanted = np.arange(len(hashes))
    for _ in hashes:
        wanted = np.where(near, wanted[None], len(hashes)).min(axis=1)
    found = near_duplicates.group(hashes)
    assert 60 < len(set(wanted.tolist())) < len(hashes), "the case has groups of several kinds"
    assert len(set(zip(wanted.tolist(), found.tolist(), strict=True))) == len(set(wanted.tolist()))
    assert len(set(found.tolist())) == len(set(wanted.tolist()))
    assert found[0] == 0 and set(found.tolist()) == set(range(found.max() + 1))


def test_a_hundred_thousand_are_grouped_and_none_are_too():
    hashes = np.random.default_rng(1).integers(0, 2**63, 100_000, dtype=np.uint64)
    hashes[50_000:51_000] = hashes[:1000] ^ np.uint64(0b1001)
    found = near_duplicates.group(hashes)
    assert found.max() + 1 == 99_000 and (found[50_000:51_000] == found[:1000]).all()
    assert len(near_duplicates.group(np.array([], dtype=np.uint64))) == 0
