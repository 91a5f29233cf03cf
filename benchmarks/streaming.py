"""A training whose images are streamed against one whose images are copied first, from a store that is far away.

    make bench NAME=streaming            or: python -m benchmarks.streaming --images 240 --rounds 3

The store is rclone's S3 server behind a proxy that adds 20 ms to each request and passes 50 MB a second. Both ways run
the real program on the same images for three epochs, in turns; the medians of the rounds are reported, in seconds from
the moment the images begin to be copied, or their addresses to be written. `first_epoch_saving` is the share of the
time to the end of the first epoch that streaming saves, `later_epoch_ratio` how much shorter its later epochs are (at
least 1: no longer), peak disk what images take on this machine.
"""

import argparse
import io
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import orjson
from PIL import Image

from benchmarks.report import machine, report
from learning.contract import TRAIN, JobFolder, read_metrics

KEY_ID, SECRET, BUCKET = "bench", "bench-secret", "pictures"
LATENCY_MS, MEGABYTES = 20, 50
BATCH, EPOCHS = 8, 3
SIDES = (2400, 1800)


def free_port() -> int:
    """A TCP port on which nothing listens at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def photo(seed: int) -> bytes:
    """A photo-like JPEG of about two megabytes."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize(SIDES, Image.Resampling.BICUBIC), dtype=np.int16)
    grain = rng.integers(-14, 15, (SIDES[1] // 2, SIDES[0] // 2, 1), dtype=np.int16).repeat(2, 0).repeat(2, 1)
    out = io.BytesIO()
    Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=92)
    return out.getvalue()


@contextmanager
def store(root: Path, images: int) -> Iterator[str]:
    """A far store with the images; gives the address of the proxy."""
    folder = root / "store" / BUCKET
    folder.mkdir(parents=True)
    few = min(images, 12)
    for number in range(images):
        path = folder / f"{number:05d}.jpg"
        # Names of the same few files: what is measured does not depend on what they show.
        if number < few:
            path.write_bytes(photo(number))
        else:
            os.link(folder / f"{number % few:05d}.jpg", path)
    beside = Path(sys.executable).with_name("rclone")
    rclone = str(beside) if beside.exists() else shutil.which("rclone")
    if rclone is None:
        raise SystemExit("rclone is not installed")
    near, far = free_port(), free_port()
    commands: list[list[str]] = [
        [rclone, "serve", "s3", str(folder.parent), "--addr", f"127.0.0.1:{near}", "--auth-key", f"{KEY_ID},{SECRET}",
         "--vfs-cache-mode", "off", "--config", os.devnull],
        [sys.executable, "-m", "benchmarks.slow_store", str(far), str(near), str(LATENCY_MS), str(MEGABYTES)],
    ]  # fmt: skip
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands]
    try:
        for port in (near, far):
            _wait(lambda port=port: socket.socket().connect_ex(("127.0.0.1", port)) == 0)  # type: ignore[misc]
        yield f"http://127.0.0.1:{far}"
    finally:
        for process in running:
            process.kill()
            process.wait()


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("the store does not start")
        time.sleep(0.05)


def set_up(endpoint: str, root: Path) -> None:
    """The settings of an installation with that store, without a database."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "WAGGLE_VAR": str(root / "var"),
        "WAGGLE_SECRET_KEY": "only-for-benchmarks-" + "x" * 40,
        "WAGGLE_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "WAGGLE_S3_ENDPOINT_URL": endpoint,
        "WAGGLE_S3_ACCESS_KEY_ID": KEY_ID,
        "WAGGLE_S3_SECRET_ACCESS_KEY": SECRET,
        "WAGGLE_S3_ADDRESSING_STYLE": "path",
        "WAGGLE_S3_INPUT_BUCKETS": BUCKET,
    }
    (root / "var").mkdir()
    import django

    django.setup()


def stage(folder: JobFolder, images: int, *, streamed: bool) -> None:
    """What the supervisor does with the images of a channel (services/programs/staging.py)."""
    from learning.services.programs.channel_images import ChannelImages, write_addresses
    from learning.services.programs.staging import DOWNLOADS
    from marketplace.models import Account
    from marketplace.services.boundaries import Reader

    reader = Reader(Account(number="123456789012"))
    taken = ChannelImages(folder.channel(TRAIN), reader, streamed=streamed)
    uris = [f"s3://{BUCKET}/{number:05d}.jpg" for number in range(images)]
    with taken.open(), ThreadPoolExecutor(DOWNLOADS) as pool:
        paths = list(pool.map(taken.of, uris))
    box = {"class_id": 0, "left": 400, "top": 300, "width": 800, "height": 600}
    label = {"annotations": [box], "image_size": [{"width": SIDES[0], "height": SIDES[1], "depth": 3}]}
    lines = [orjson.dumps({"source-ref": path, "labels": label, "labels-metadata": {}}) for path in paths]
    folder.manifest(TRAIN).write_bytes(b"\n".join(lines))
    if streamed:
        write_addresses(folder, TRAIN, reader)


class Disk:
    """The most that images took in a job folder, looked at several times a second."""

    def __init__(self, folder: JobFolder) -> None:
        self.peak, self._folder, self._ended = 0, folder, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Disk":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            self.peak = max(self.peak, sum(map(self._bytes, (self._folder.channel(TRAIN), self._folder.stream_cache))))

    @staticmethod
    def _bytes(folder: Path) -> int:
        total = 0
        for path in folder.rglob("*"):
            try:
                total += path.stat().st_size if path.is_file() else 0
            except FileNotFoundError:
                continue  # renamed meanwhile
        return total


def at_step(points: list[tuple[int, float]], step: int) -> float:
    """When a step was done: between two reports, which come about once a second, by interpolation."""
    steps, times = zip(*points, strict=True)
    return float(np.interp(step, steps, times))


def training(root: Path, images: int, *, streamed: bool) -> dict[str, float]:
    """One training; its figures in seconds and megabytes."""
    folder = JobFolder(root / ("streamed" if streamed else "copied"))
    given = {"label_attribute_name": "labels", "class_map": {"0": "thing"}, "epochs": EPOCHS, "batch_size": BATCH}
    # Neither evaluations nor checkpoints between the steps.
    given |= {"validation_share": 0, "weights": "none", "checkpoint_seconds": 1e6, "augmentation": "none"}
    folder.prepare(hyperparameters=given, channels={TRAIN: {}})
    with Disk(folder) as disk:
        began = time.time()
        stage(folder, images, streamed=streamed)
        staged = time.time()
        command = [sys.executable, "-m", "learning.vision.train", str(folder.root)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(ended.stderr)
    found = [metric for metric in read_metrics(folder.metrics)[0] if metric.name == "train:progress"]
    points = [(metric.step, datetime.fromisoformat(metric.time).timestamp()) for metric in found]
    epoch = images // BATCH
    ends = [at_step(points, epoch * number) for number in range(1, EPOCHS + 1)]
    shutil.rmtree(folder.root)
    return {
        "staging_s": staged - began,
        "first_batch_s": points[0][1] - began,
        "first_epoch_s": ends[0] - began,
        "later_epoch_s": (ends[-1] - ends[0]) / (EPOCHS - 1),
        "peak_disk_mb": disk.peak / 1e6,
    }


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    on = machine()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with store(root, asked.images) as endpoint:
            set_up(endpoint, root)
            rounds: dict[bool, list[dict[str, float]]] = {False: [], True: []}
            for number in range(asked.rounds):
                for streamed in (False, True) if number % 2 == 0 else (True, False):
                    rounds[streamed].append(training(root, asked.images, streamed=streamed))
                    print("streamed" if streamed else "copied", rounds[streamed][-1], file=sys.stderr, flush=True)
    copied, streaming = (
        {name: statistics.median(one[name] for one in rounds[way]) for name in rounds[way][0]} for way in (False, True)
    )
    figures = {f"copied_{name}": value for name, value in copied.items()}
    figures |= {f"streamed_{name}": value for name, value in streaming.items()}
    figures["first_epoch_saving"] = 1 - streaming["first_epoch_s"] / copied["first_epoch_s"]
    figures["later_epoch_ratio"] = copied["later_epoch_s"] / streaming["later_epoch_s"]
    report("streaming", figures, on=on)


if __name__ == "__main__":
    main()
