"""Streamed images against a real HTTP server: whatever it does, the pictures are those of the files or are left out."""

import io
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeling.formats.images import ImageError, Limits
from learning.contract import JobFolder
from learning.vision.augment import train_transform
from learning.vision.data import Cache, ImageSet
from learning.vision.loading import batches
from learning.vision.manifests import Item
from learning.vision.remote import PIECE, Address, RemoteReader, StoreAway
from learning.vision.streaming import Stream, StreamedCache
from tests.learning.vision import picture_server
from tests.learning.vision.picture_server import PictureServer


@pytest.fixture
def server():
    with picture_server.serving() as found:
        yield found


def a_reader(pauses: list[float] | None = None, **options) -> RemoteReader:
    given = {"connections": 8, "max_bytes": 1000, "expires": time.time() + 60} | options
    return RemoteReader(**given, sleep=(pauses if pauses is not None else []).append)


def a_png(seed: int, side: int = 40) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


# --- reading by HTTP -------------------------------------------------------------------------------------------------


def test_a_read_goes_on_where_it_broke_off_and_waits_longer_each_time(server: PictureServer) -> None:
    data = bytes(range(200)) * 5000
    server.files["/a"] = data
    server.faults["/a"] = [503, 429, "broken off", "broken off"]
    pauses: list[float] = []
    assert a_reader(pauses, max_bytes=len(data)).read(Address(server.url("/a"))) == data
    assert server.ranges == [f"bytes={7 * PIECE}-", f"bytes={11 * PIECE}-"], "in whole pieces"
    assert len(pauses) == 4 and pauses[1] > 0.2 * 2 * 0.5


def test_ranges_are_read_also_from_a_server_that_knows_none(server: PictureServer) -> None:
    server.files["/a"] = bytes(range(200))
    server.faults["/a"] = [None, "no ranges"]
    for _ in range(2):
        assert a_reader().read(Address(server.url("/a"), offset=20, length=5)) == bytes(range(20, 25))
    with pytest.raises(ImageError, match="has 10 bytes where the index says 50"):
        a_reader().read(Address(server.url("/a"), offset=190, length=50))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (404, r"there is no such object \(HTTP 404\)"),
        (403, r"refuses access \(HTTP 403\)"),
        (302, "answered HTTP 302"),
        ("large", "has more than 1,000 bytes"),
    ],
)
def test_what_the_server_refuses_for_good_is_not_asked_again(server: PictureServer, fault, reason) -> None:
    server.files["/a"] = bytes(2000)
    server.faults["/a"] = [fault]
    with pytest.raises(ImageError, match=reason):
        a_reader().read(Address(server.url("/a")))
    assert server.asked["/a"] == 1


def test_expired_addresses_and_a_store_that_is_away_concern_the_run_and_not_the_picture(
    server: PictureServer, monkeypatch
) -> None:
    server.faults["/a"] = [403]
    with pytest.raises(StoreAway, match="expired"):
        a_reader(expires=time.time() - 1).read(Address(server.url("/a")))
    monkeypatch.setattr("learning.vision.remote.AWAY_SECONDS", 0.05)
    reader = RemoteReader(connections=1, max_bytes=10, expires=time.time() + 60, sleep=lambda _: time.sleep(0.03))
    with pytest.raises(StoreAway, match="nothing could be read"):
        reader.read(Address("http://127.0.0.1:9/a"))


def test_one_picture_of_which_the_server_always_breaks_is_given_up_while_others_are_read(server) -> None:
    server.files["/good"] = b"good"
    server.faults["/bad"] = [500] * 50
    reader = a_reader()
    reader._sleep = lambda _: reader.read(Address(server.url("/good")))
    with pytest.raises(ImageError, match="tried 6 times: HTTP 500"):
        reader.read(Address(server.url("/bad")))
    assert server.asked["/bad"] == 6


# --- a channel -------------------------------------------------------------------------------------------------------


class Channel:
    """A streamed channel of a job folder, and the same pictures as files beside it."""

    def __init__(self, root: Path, server: PictureServer, count: int) -> None:
        self.folder, self.server = JobFolder(root / "job"), server
        images = self.folder.channel("train") / "images"
        images.mkdir(parents=True)
        (root / "files").mkdir()
        self.items, self.copies = [], []
        with self.folder.addresses("train").open("w") as out:
            out.write(json.dumps({"expires": time.time() + 600}) + "\n")
            for number in range(count):
                name, data = f"{number}.png", a_png(number)
                server.files[f"/{name}"] = data
                (root / "files" / name).write_bytes(data)
                out.write(json.dumps({"name": name, "url": server.url(f"/{name}?signed=x")}) + "\n")
                boxes = np.array([[1, 2, 20 + number, 30]], np.float32)
                self.items.append(Item(number, images / name, name, None, boxes, (0,)))
                self.copies.append(Item(number, root / "files" / name, name, None, boxes, (0,)))
        self.said: list[str] = []
        self.streams: list[Stream] = []

    def streamed(
        self, *, memory: int = 1 << 20, disk: int = 1 << 20, items: list[Item] | None = None, threads: int = 0
    ) -> ImageSet:
        stream = Stream(self.folder, cache_bytes=disk, max_bytes=1 << 20)
        self.streams.append(stream)
        given = self.items if items is None else items
        options = {"channel": "train", "size": 32, "max_bytes": memory, "limits": Limits(), "log": self.said.append}
        options["threads"] = threads
        cache = StreamedCache(stream, given, **options)
        return ImageSet(given, class_map={"0": "bee"}, image_size=32, cache=cache)

    def copied(self) -> ImageSet:
        return ImageSet(self.copies, class_map={"0": "bee"}, image_size=32, cache=Cache(1 << 20, Limits()))

    def on_disk(self) -> int:
        return sum(path.stat().st_size for path in self.folder.stream_cache.iterdir())


@pytest.fixture
def channel(tmp_path: Path, server: PictureServer):
    found = Channel(tmp_path, server, 12)
    yield found
    for stream in found.streams:
        stream.close()


def some_batches(images: ImageSet, count: int, *, workers: int = 0, first: int = 0) -> list[tuple[np.ndarray, list]]:
    source = batches(
        images,
        augment=train_transform("standard"),
        batch_size=4,
        seed=3,
        first_step=first,
        num_workers=workers,
    )
    return [(pixels.numpy().copy(), targets.numpy().tolist()) for (pixels, targets), _ in
            zip(source, range(count), strict=False)]  # fmt: skip


def assert_same(given: list, wanted: list) -> None:
    assert len(given) == len(wanted)
    for (pixels, boxes), (other, other_boxes) in zip(given, wanted, strict=True):
        assert np.array_equal(pixels, other) and boxes == other_boxes


def test_batches_are_those_of_copied_files_whatever_is_cached_and_however_many_processes_load(channel) -> None:
    wanted = some_batches(channel.copied(), 7)
    assert_same(some_batches(channel.streamed(), 7), wanted)
    assert_same(some_batches(channel.streamed(memory=5 * 32 * 32 * 3, disk=6000), 7), wanted)
    assert_same(some_batches(channel.streamed(memory=0, disk=0), 7), wanted)
    assert_same(some_batches(channel.streamed(), 7, workers=2), wanted)
    assert_same(some_batches(channel.streamed(threads=3), 7), wanted)
    assert_same(some_batches(channel.streamed(memory=5 * 32 * 32 * 3, threads=3), 7), wanted)
    assert_same(some_batches(channel.streamed(), 3, first=4), wanted[4:])


def test_nothing_is_read_before_it_is_needed_and_then_many_at_once(channel, server) -> None:
    images = channel.streamed()
    assert images.preload(stop=lambda: False) == [] and not server.asked
    server.latency = 0.05
    some_batches(images, 3)
    assert server.most_at_once >= 4, "the batches to come are read together"
    assert max(server.asked.values()) == 1
    some_batches(images, 6)
    assert sum(server.asked.values()) == 12, "what stays decoded is not read again, and nothing lies on the disk"
    assert channel.on_disk() == 0


def test_the_disk_holds_no_more_than_it_may_and_what_it_holds_is_not_read_again(channel, server) -> None:
    one = len(server.files["/0.png"])
    images = channel.streamed(memory=0, disk=5 * one + one // 2)
    some_batches(images, 6)  # two epochs
    assert channel.on_disk() <= 5 * one + one // 2
    kept = {path.name for path in channel.folder.stream_cache.iterdir()}
    assert len(kept) == 5
    read = dict(server.asked)
    some_batches(channel.streamed(memory=0, disk=5 * one + one // 2), 3)  # a later start of the same run
    again = {path.removeprefix("/") for path, count in server.asked.items() if count > read[path]}
    assert again == {f"{number}.png" for number in range(12)} - kept
    channel.streamed(memory=0, disk=2 * one + one // 2).picture(0)
    assert channel.on_disk() <= 2 * one + one // 2, "a lower limit holds for what is there already"


@pytest.mark.parametrize("threads", [0, 3])
def test_a_picture_that_cannot_be_read_is_left_out_and_said_once(channel, server, threads) -> None:
    del server.files["/3.png"]
    server.files["/5.png"] = b"no picture"
    images = channel.streamed(threads=threads)
    found = some_batches(images, 6)
    assert {len(boxes) for _, boxes in found} <= {2, 3, 4} and sum(len(boxes) for _, boxes in found) == 20
    assert len(channel.said) == 2
    said = sorted(channel.said)
    assert said[0] == "train channel, line 4: left out: there is no such object (HTTP 404)"
    assert said[1].startswith("train channel, line 6: left out: ")
    assert server.asked["/3.png"] == server.asked["/5.png"] == 1
    unknown = Item(12, channel.items[0].path.with_name("missing-x.png"), "x", None, channel.items[0].boxes, (0,))
    other = channel.streamed(items=[unknown])
    with pytest.raises(ImageError, match="no such object, or the account may not read it"):
        other.picture(0)


def test_when_the_reading_process_is_killed_the_run_is_told_and_no_picture_is_blamed(channel) -> None:
    images = channel.streamed()
    images.picture(0)
    channel.streams[0]._process.kill()
    with pytest.raises(StoreAway, match="has ended"):
        images.picture(1)
    assert not channel.said


def test_the_reading_process_ends_with_whoever_started_it(channel) -> None:
    images = channel.streamed()
    images.picture(0)
    stream = channel.streams.pop()
    process = stream._process.pid
    stream.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
