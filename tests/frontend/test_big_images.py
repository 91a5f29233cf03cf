"""Thumbnails of images of 100 megapixels: the web process decodes one at a time, and each once."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.frontend.web_process import Web, web

# For a migrated database to copy (see tests/databases.py).
pytestmark = pytest.mark.django_db

PICTURES = 16
GROWTH = 900 * 2**20
"""Bytes. One decoded image has 400 MB (four bytes a pixel, whatever the file); 16 at once had 9 GB."""

DATASET = """
import django, io, json, sys
django.setup()
from PIL import Image
from django.conf import settings
from labeling.models import Dataset
from marketplace import storage
from marketplace.models import Account
from marketplace.services import boundaries

account = Account.objects.get(number=sys.argv[1])
Image.MAX_IMAGE_PIXELS = None
out = io.BytesIO()
Image.new("RGB", (10_000, 10_000), "green").save(out, "PNG")
base = storage.join(boundaries.base_of(account), "uploads", "big")
refs = [storage.join(base, f"{number}.png") for number in range(int(sys.argv[2]))]
for ref in refs:
    storage.write(ref, out.getvalue())
manifest = storage.join(base, "big.manifest")
storage.write(manifest, "".join(json.dumps({"source-ref": ref}) + chr(10) for ref in refs).encode())
row = Dataset.objects.create(account=account, name="big", status="Completed", manifest_uri=manifest,
                             objects_total=len(refs), source={"kind": "folder", "uri": base})
print(json.dumps([row.pk, len(out.getvalue())]))
"""


@pytest.fixture(scope="module")
def server(django_db_setup):
    with web() as up:
        yield up


class Memory:
    """The most memory that the web process has had, looked at 50 times a second."""

    def __init__(self, server: Web) -> None:
        (self._process,) = server.answering()
        self.before = self.most = self._process.memory_info().rss
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, self._process.memory_info().rss)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def thumbnail(server: Web, dataset: int, number: int, side: int) -> tuple[bytes, int]:
    """A sample's thumbnail, asked for again while the server says that it is busy; how often it said so."""
    refused = 0
    while True:
        path = f"/datasets/{dataset}/sample/{number}/?side={side}"
        status, headers, body = server.get(path, timeout=120, Cookie=server.requester["cookie"])
        if status == 200:
            return body, refused
        assert status == 503, body
        refused += 1
        time.sleep(int(headers["Retry-After"]))


@pytest.mark.slow
def test_many_large_pictures_at_once_take_the_memory_of_one(server: Web):
    dataset, size = json.loads(server.system.run("-c", DATASET, server.requester["account"], str(PICTURES)))
    assert size < 400_000
    with Memory(server) as memory, ThreadPoolExecutor(PICTURES) as clients:
        wanted = [clients.submit(thumbnail, server, dataset, number, 480) for number in range(PICTURES)]
        answers = [each.result() for each in wanted]
    assert all(body.startswith(b"\xff\xd8\xff") for body, _ in answers)
    assert memory.most - memory.before < GROWTH
    # What was made once is not decoded again, in no size.
    with Memory(server) as memory:
        for side in (1, 160, 500, 720, 5000):
            assert thumbnail(server, dataset, 0, side)[1] == 0
    assert memory.most - memory.before < 50 * 2**20
