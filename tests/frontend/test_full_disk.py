"""A full disk: uploads answer 507 and leave nothing behind, and /health/ says what is wrong."""

import os
import stat

import pytest
import urllib3
from django.db import connection

from marketplace import storage
from marketplace.services import condition
from tests import builders
from tests.frontend.test_uploads import form_of, send
from tests.full_disk import small_disk  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
POOL = urllib3.PoolManager(retries=False)
MIB = 2**20
NO_RESERVE = -100 * MIB
"""Whatever is sent, only the disk itself refuses it."""


@pytest.fixture
def store(small_disk, settings, monkeypatch):  # noqa: F811
    """A store on a disk of 4 MiB."""
    settings.STORE_URL = (small_disk / "store").as_uri()
    settings.DISK_RESERVE = NO_RESERVE
    monkeypatch.setattr(condition, "LOOK_SECONDS", -1)
    storage.prepare(settings.STORE_URL)
    return small_disk


def files_in(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def fill(folder) -> None:
    """Leave 100 kB."""
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    (folder / "filler").write_bytes(b"x" * (free - 100_000))


@pytest.mark.parametrize("reserve", [NO_RESERVE, 1 * MIB], ids=["to the last byte", "what is kept free"])
def test_an_upload_that_has_no_room_answers_507_and_leaves_nothing(live_server, requester, store, settings, reserve):
    settings.DISK_RESERVE = reserve
    status, kept = send(live_server, requester, [("first.png", builders.image_bytes())])
    assert status == 201
    before = files_in(store)
    files = [("small.png", builders.image_bytes(number=1)), ("large.png", b"x" * 5 * MIB)]
    status, answer = send(live_server, requester, files)
    assert (status, answer["type"]) == (507, "urn:waggle:problem:insufficient-storage")
    assert ("no space left" if reserve == NO_RESERVE else "are kept free") in answer["detail"].lower()
    assert files_in(store) == before
    assert storage.read(kept["files"][0]["uri"]) == builders.image_bytes()


def test_what_an_earlier_request_stored_stays_when_it_is_sent_again(live_server, requester, store):
    first = ("first.png", builders.image_bytes())
    status, kept = send(live_server, requester, [first])
    fill(store)
    body = {"folder": kept["folder"]}
    parts = form_of([first, ("large.png", b"x" * 2 * MIB)])
    field = f'--a-line-between\r\nContent-Disposition: form-data; name="folder"\r\n\r\n{body["folder"]}\r\n'
    headers = {"Authorization": f"Bearer {requester.secret}",
               "Content-Type": "multipart/form-data; boundary=a-line-between"}  # fmt: skip
    response = POOL.request("POST", f"{live_server.url}/api/v1/uploads", body=field.encode() + parts, headers=headers)
    assert response.status == 507
    assert storage.read(kept["files"][0]["uri"]) == first[1]


def test_health_says_that_the_store_is_full_and_when_it_is_well_again(live_server, store, settings):
    settings.DISK_RESERVE = 1 * MIB
    url = f"{live_server.url}/health/"
    assert POOL.request("GET", url).json()["status"] == "ok"
    fill(store)
    response = POOL.request("GET", url)
    assert response.status == 503
    (problem,) = response.json()["problems"]
    assert problem.startswith("store: the store is full") and "WAGGLE_DISK_RESERVE" in problem
    settings.DISK_RESERVE = NO_RESERVE
    (store / "rest").write_bytes(b"x" * 98_000)
    with (store / "rest").open("ab", buffering=0) as rest, pytest.raises(OSError):
        while True:
            rest.write(b"x" * 1000)
    response = POOL.request("GET", url)
    assert response.status == 503 and "No space left" in response.json()["problems"][0]
    (store / "filler").unlink()
    assert POOL.request("GET", url).status == 200
    assert not [path for path in files_in(store) if "health" in path]


def test_health_says_that_the_database_takes_nothing(live_server, monkeypatch):
    monkeypatch.setattr(condition, "LOOK_SECONDS", -1)
    change = f'ALTER DATABASE "{connection.settings_dict["NAME"]}" SET default_transaction_read_only = '
    with connection.cursor() as cursor:
        cursor.execute(change + "on")
        try:
            # A connection of its own gets a new thread, and that a new session of the database.
            response = urllib3.PoolManager(retries=False).request("GET", f"{live_server.url}/health/")
        finally:
            cursor.execute(change + "off")
    assert (response.status, response.json()["problems"]) == (503, ["database: it is read-only"])


def test_files_of_the_store_are_for_their_owner_only(tmp_path, settings):
    settings.STORE_URL = (tmp_path / "store").as_uri()
    before = os.umask(0)
    try:
        uri = storage.join(settings.STORE_URL, "accounts", "1", "a.png")
        storage.write(uri, b"x")
    finally:
        os.umask(before)
    path = storage.local_path(uri)
    assert path is not None
    modes = [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent, path.parent.parent, tmp_path / "store")]
    assert modes == [0o600, 0o700, 0o700, 0o700]
