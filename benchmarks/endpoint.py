"""Latency and images a second of an endpoint, beside ONNX Runtime alone in a loop, and an update of it under load.

    make bench NAME=endpoint                  or: python -m benchmarks.endpoint --architecture compact --seconds 5

The engine gets decoded pictures one after the other on all cores. The instance and, at the end, the portal in front of
it get JPEG bytes over HTTP from 1, 8 and 32 clients on the same machine, which decode, suppression and the clients
themselves have to share with the network. Engine and clients take turns, and the median round is reported. Then the
endpoint is updated to another configuration while 8 clients ask the portal: `failed_during_update` counts every answer
but 200.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import urllib3

from benchmarks.detector_speed import NAMES, export, photos
from benchmarks.report import machine, report
from benchmarks.stack import ROOT, Stack
from labeling.formats.images import Limits
from learning.contract import MODEL, JobFolder, ModelConfig
from learning.serving.detector import read_pictures
from learning.serving.paths import PORT
from learning.serving.session import open_session

CLIENTS = (1, 8, 32)
PICTURES = 16
WAIT_SECONDS = 300.0


def engine_rate(model: Path, data: list[bytes], seconds: float) -> Callable[[], float]:
    """Images a second of ONNX Runtime on decoded pictures, one after the other."""
    session = open_session(model / "model.onnx", backend="onnxruntime")
    size = ModelConfig.read(model).image_size
    pixels = [p.pixels[None] for p in read_pictures(data, size=size, limits=Limits())]
    session.run(pixels[0])

    def rate() -> float:
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            session.run(np.ascontiguousarray(pixels[done % len(pixels)]))
            done += 1
        return done / (time.perf_counter() - began)

    return rate


class Load:
    """Clients that ask one request after the other; keeps the latencies of good answers, and all statuses."""

    def __init__(self, url: str, headers: dict[str, str], data: list[bytes]):
        self._url, self._headers, self._data = url, headers, data
        self._pool = urllib3.PoolManager(maxsize=max(CLIENTS), retries=False, timeout=120)
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.over = threading.Event()

    def run(self, clients: int, seconds: float) -> float:
        """Images a second; 0 seconds: until `over` is set."""
        began = time.perf_counter()
        if seconds:
            threading.Timer(seconds, self.over.set).start()
        with ThreadPoolExecutor(clients) as threads:
            list(threads.map(self._ask, range(clients)))
        return self.statuses["200"] / (time.perf_counter() - began)

    def _ask(self, number: int) -> None:
        while not self.over.is_set():
            number += 1
            began = time.perf_counter()
            try:
                image = self._data[number % len(self._data)]
                answer = self._pool.request("POST", self._url, body=image, headers=self._headers)
                status = str(answer.status)
            except urllib3.exceptions.HTTPError as error:
                status = type(error).__name__
            self.statuses[status] += 1
            if status == "200":
                self.latencies.append(time.perf_counter() - began)

    def milliseconds(self, share: float) -> float:
        """The latency that this share of the answers does not exceed."""
        return 1000 * float(np.quantile(self.latencies, share)) if self.latencies else float("nan")


def ask(name: str, load: Load, clients: int, seconds: float, figures: dict[str, list[float]]) -> float:
    """One round of so many clients; adds its figures."""
    rate = load.run(clients, seconds)
    for key, value in (
        (f"{name}_images_per_s_{clients}c", rate),
        (f"{name}_p50_ms_{clients}c", load.milliseconds(0.5)),
        (f"{name}_p99_ms_{clients}c", load.milliseconds(0.99)),
    ):
        figures.setdefault(key, []).append(value)
    return rate


def of_instance(model: Path, data: list[bytes], seconds: float, rounds: int) -> dict[str, list[float]]:
    """The engine and one instance in turns."""
    figures: dict[str, list[float]] = {}
    rate = engine_rate(model, data, seconds)
    with tempfile.TemporaryDirectory() as root:
        folder = JobFolder(Path(root))
        folder.prepare(hyperparameters={}, channels={MODEL: {}})
        folder.channel(MODEL).rmdir()
        folder.channel(MODEL).symlink_to(model)
        process = subprocess.Popen([sys.executable, "-m", "learning.serving.serve", root], cwd=ROOT)
        try:
            wait(lambda: (folder.root / PORT).exists())
            url = f"http://127.0.0.1:{(folder.root / PORT).read_text()}/invocations"
            headers = {"Content-Type": "image/jpeg"}
            ask("warm_up", Load(url, headers, data), 8, min(seconds, 2.0), {})
            for _ in range(rounds):
                figures.setdefault("engine_images_per_s", []).append(rate())
                for clients in CLIENTS:
                    served = ask("instance", Load(url, headers, data), clients, seconds, figures)
                    ratio = served / figures["engine_images_per_s"][-1]
                    figures.setdefault(f"ratio_to_engine_{clients}c", []).append(ratio)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
    return figures


def wait(until: Callable[[], object]) -> None:
    """Until it is so; SystemExit when it is not within WAIT_SECONDS."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not until():
        if time.monotonic() > deadline:
            raise SystemExit("it did not happen within five minutes")
        time.sleep(0.2)


def of_portal(model: Path, data: list[bytes], seconds: float) -> dict[str, list[float]]:
    """The whole system: requests through the portal, and an update under load."""
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as var:
        stack = Stack(Path(var))
        learner = subprocess.Popen([sys.executable, "manage.py", "run_programs"], cwd=ROOT)
        try:
            from benchmarks import endpoint_rows

            secret, endpoint = endpoint_rows.make(model)
            wait(lambda: endpoint_rows.status(endpoint) == "InService")
            url = f"http://127.0.0.1:{stack.port}/api/v1/endpoints/bench/invocations"
            headers = {"Content-Type": "image/jpeg", "Authorization": f"Bearer {secret}"}
            ask("warm_up", Load(url, headers, data), 8, min(seconds, 2.0), {})
            for clients in CLIENTS:
                ask("portal", Load(url, headers, data), clients, seconds, figures)
            load = Load(url, headers, data)
            asking = threading.Thread(target=load.run, args=(8, 0.0))
            asking.start()
            endpoint_rows.update(endpoint)
            wait(lambda: endpoint_rows.settled(endpoint))
            load.over.set()
            asking.join()
            good = load.statuses.pop("200", 0)
            print(f"during the update: {good} good answers, others: {dict(load.statuses)}", file=sys.stderr)
            figures["failed_during_update"] = [float(sum(load.statuses.values()))]
            figures["answered_during_update"] = [float(good)]
        finally:
            learner.send_signal(signal.SIGTERM)
            learner.wait()
            stack.stop()
    return figures


def main() -> None:
    """Measure, and print one line for each architecture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", default="ssd300_vgg16", choices=sorted(NAMES))
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without-portal", action="store_true", help="leave out the portal and the update")
    given = parser.parse_args()
    on, data = machine(), photos(PICTURES)
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder)
        export(given.architecture, model)
        figures = of_instance(model, data, given.seconds, given.rounds)
        if not given.without_portal:
            figures |= of_portal(model, data, given.seconds)
    medians = {name: statistics.median(values) for name, values in figures.items()}
    report("endpoint", medians, on=on, architecture=given.architecture)


if __name__ == "__main__":
    main()
