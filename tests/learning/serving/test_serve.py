"""The server program, as the supervisor starts it: real processes, real HTTP."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import urllib3
from PIL import Image

from learning.contract import EXIT_BAD_INPUT, MODEL, JobFolder
from learning.serving.paths import PORT, TOKEN
from tests.learning.serving import quadrants

ROOT = Path(__file__).resolve().parents[3]
BIG = b"\xff\xd8" + bytes(6_291_456)
Start = Callable[..., "Served"]


class Served:
    """A running server and a client of it."""

    def __init__(self, process: subprocess.Popen, folder: JobFolder, token: str):
        self.process, self.folder = process, folder
        self.url = f"http://127.0.0.1:{(folder.root / PORT).read_text()}"
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.pool = urllib3.PoolManager(maxsize=32, retries=False, timeout=30)

    def ask(self, body: bytes, kind: str = "image/png", **headers: str) -> tuple[int, Any]:
        given = {**self.headers, "Content-Type": kind, **headers}
        answer = self.pool.request("POST", f"{self.url}/invocations", body=body, headers=given)
        return answer.status, json.loads(answer.data)


def picture(form: str = "PNG", size: tuple[int, int] = (200, 100), orientation: int | None = None) -> bytes:
    """Red on the upper left, blue on the lower right, black elsewhere."""
    image = Image.new("RGB", size)
    half = (size[0] // 2, size[1] // 2)
    image.paste((255, 0, 0), (0, 0, *half))
    image.paste((0, 0, 255), (*half, *size))
    buffer, options = BytesIO(), {}
    if orientation:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    image.save(buffer, form, **options)
    return buffer.getvalue()


def staged(root: Path, *, token: str = "", config_size: int | None = None, **hyperparameters: Any) -> JobFolder:
    folder = JobFolder(root)
    folder.prepare(hyperparameters=hyperparameters, channels={MODEL: {}})
    quadrants.write_model(folder.channel(MODEL), config_size=config_size)
    if token:
        (folder.root / TOKEN).write_text(token)
    return folder


def program(folder: JobFolder) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "learning.serving.serve", str(folder.root)], cwd=ROOT)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    processes = []

    def _start(*, token: str = "", **hyperparameters: Any) -> Served:
        folder = staged(tmp_path_factory.mktemp("replica"), token=token, **hyperparameters)
        processes.append(program(folder))
        deadline = time.monotonic() + 60
        while not (folder.root / PORT).exists():
            assert processes[-1].poll() is None and time.monotonic() < deadline, folder.read_failure()
            time.sleep(0.02)
        served = Served(processes[-1], folder, token)
        # The port is known just before anything listens there.
        served.pool.request(
            "GET", f"{served.url}/ping", headers=served.headers, retries=urllib3.Retry(9, backoff_factor=0.05)
        )
        return served

    yield _start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def served(start: Start) -> Served:
    return start(token="clover")


def test_it_answers_as_the_built_in_algorithm(served: Served) -> None:
    status, answer = served.ask(picture())
    assert status == 200
    best, second, *rest = sorted(answer["prediction"], key=lambda row: -row[1])
    assert [best[0], second[0]] in ([3.0, 7.0], [7.0, 3.0])
    red = next(row for row in answer["prediction"] if row[0] == 3)
    blue = next(row for row in answer["prediction"] if row[0] == 7)
    assert red[1:] == pytest.approx([1, 0, 0, 0.5, 0.5], abs=0.02)
    assert blue[1:] == pytest.approx([1, 0.5, 0.5, 1, 1], abs=0.02)
    assert not [row for row in rest if row[1] < 0.001]


def test_jpeg_and_any_image_are_taken_and_seen_as_people_see_them(served: Served) -> None:
    for kind, form in (("image/jpeg", "JPEG"), ("application/x-image", "WEBP"), ("IMAGE/PNG; charset=x", "PNG")):
        status, answer = served.ask(picture(form), kind)
        assert status == 200, answer
    # Turned by 180 degrees, red is at the lower right.
    _, answer = served.ask(picture("JPEG", orientation=3), "image/jpeg")
    red = max((row for row in answer["prediction"] if row[0] == 3), key=lambda row: row[1])
    assert red[2:] == pytest.approx([0.5, 0.5, 1, 1], abs=0.02)


@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        (b"no picture", "image/jpeg", 400, "not an image in a known format"),
        (b"", "image/png", 400, "the file is empty"),
        (b'{"x": 1}', "application/json", 415, "image/jpeg or image/png"),
        (b"x", "", 415, "image/jpeg or image/png"),
        (BIG, "image/jpeg", 413, "at most 6,291,456 are taken"),
    ],
)
def test_what_it_cannot_use_is_refused_in_words(served: Served, body: bytes, kind: str, status: int, says: str) -> None:
    found, answer = served.ask(body, kind)
    assert found == status and says in answer["message"]


def test_a_body_in_chunks_has_the_same_limit(served: Served) -> None:
    answer = served.pool.request(
        "POST",
        f"{served.url}/invocations",
        body=(BIG[at : at + 100_000] for at in range(0, len(BIG), 100_000)),
        headers={**served.headers, "Content-Type": "image/jpeg"},
    )
    assert answer.status == 413


def test_strangers_and_other_paths_are_refused(served: Served) -> None:
    assert served.ask(picture(), Authorization="Bearer heather")[0] == 401
    assert served.pool.request("GET", f"{served.url}/ping").status == 401
    assert served.pool.request("GET", f"{served.url}/ping", headers=served.headers).status == 200
    assert served.pool.request("GET", f"{served.url}/invocations", headers=served.headers).status == 404


def test_many_callers_get_their_own_answers(served: Served) -> None:
    sides = [(200 + 10 * n, 100) for n in range(24)]

    def ask(size: tuple[int, int]) -> float:
        image = Image.new("RGB", size, (size[0] - 190, 0, 0))
        buffer = BytesIO()
        image.save(buffer, "PNG")
        _, answer = served.ask(buffer.getvalue())
        return answer["prediction"][0][1] * 255

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, sides)) == pytest.approx([size[0] - 190 for size in sides], abs=1)


def test_a_full_queue_is_said_at_once(start: Start) -> None:
    served = start(queue_size=1, max_delay_ms=0)
    slow = picture("PNG", (3000, 3000))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: served.ask(slow), range(8)))
    assert {status for status, _ in found} == {200, 429}
    assert next(answer for status, answer in found if status == 429)["message"].startswith("1 pictures are waiting")
    assert served.ask(picture())[0] == 200


def test_sigterm_answers_what_has_begun_and_ends_well(start: Start) -> None:
    served, found = start(), []
    slow = picture("PNG", (3000, 3000))
    callers = [threading.Thread(target=lambda: found.append(served.ask(slow)[0])) for _ in range(4)]
    for caller in callers:
        caller.start()
    time.sleep(0.15)
    os.kill(served.process.pid, signal.SIGTERM)
    for caller in callers:
        caller.join()
    assert served.process.wait(30) == 0
    assert found == [200] * 4
    with pytest.raises(urllib3.exceptions.HTTPError):
        served.ask(slow)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"config_size": 32}, "the model cannot be run"),
        ({"max_batch": "many"}, "hyperparameter 'max_batch' is 'many'; expected a number"),
        ({"colour": "red"}, "hyperparameter 'colour' is not known"),
    ],
)
def test_what_can_never_be_served_ends_with_its_reason(tmp_path: Path, options: dict[str, Any], says: str) -> None:
    folder = staged(tmp_path, **options)
    assert program(folder).wait(60) == EXIT_BAD_INPUT
    assert says in (folder.read_failure() or "")


def test_neither_torch_nor_django_is_loaded() -> None:
    check = "import sys, learning.serving.serve; assert not {'torch', 'django'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT)
