"""Large images are decoded one at a time; whoever waits takes up half of the process at most."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from labeling.services.intake import decoding, images
from marketplace import storage
from tests import builders

LARGE = builders.image_bytes(size=(300, 200))
SMALL = builders.image_bytes(size=(30, 20))


@pytest.fixture(autouse=True)
def _large_is_small(monkeypatch):
    """So that a test needs no 400 MB: what counts is which side of the limit an image is on."""
    monkeypatch.setattr(decoding, "LARGE_PIXELS", 10_000)
    monkeypatch.setattr(decoding, "_turns", decoding._Turns(waiting=2))


class Together:
    """How many threads are inside at once, at most."""

    def __init__(self) -> None:
        self.most = self.now = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.now -= 1


def test_one_large_image_at_a_time():
    inside = Together()

    def decode(_):
        with decoding.turn(LARGE, patient=True) as large, inside:
            assert large
            return decoding.images.inspect(LARGE).ok

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(decode, range(24)))
    assert inside.most == 1


def test_small_images_do_not_wait():
    with decoding.turn(LARGE):
        with decoding.turn(SMALL) as large:
            assert not large
        assert decoding.inspect(SMALL).ok


def test_a_request_that_finds_no_room_is_told_to_come_again(monkeypatch):
    monkeypatch.setattr(decoding, "_turns", decoding._Turns(waiting=1))
    waits = threading.Thread(target=decoding.inspect, args=(LARGE,))
    with decoding.turn(LARGE):
        waits.start()
        # The first to wait has taken the only place once there is none for a second.
        refused = None
        while refused is None:
            monkeypatch.setattr(decoding, "WAIT_SECONDS", 0.01)
            try:
                decoding.inspect(LARGE)
            except decoding.Busy as error:
                refused = error
    waits.join()
    assert refused.kind == "busy"
    assert decoding.inspect(LARGE).ok


def test_a_request_waits_only_so_long(monkeypatch):
    monkeypatch.setattr(decoding, "WAIT_SECONDS", 0.01)
    with decoding.turn(LARGE), pytest.raises(decoding.Busy, match="none was done within"):
        decoding.inspect(LARGE)


def test_an_error_inside_gives_the_turn_back():
    with pytest.raises(ZeroDivisionError), decoding.turn(LARGE):
        raise ZeroDivisionError
    assert decoding.inspect(LARGE).ok


@pytest.mark.django_db
@pytest.mark.parametrize(("asked", "side"), [(1, 160), (160, 160), (161, 480), (1000, 1600), (10**9, 1600)])
def test_a_size_that_is_asked_for_is_rounded_up_to_one_there_is(asked, side):
    uri = builders.tiny_images(1, account=builders.an_account(), size=(2000, 20))[0]
    assert images.picture(uri=uri, max_side=asked) == images.picture(uri=uri, max_side=side)


@pytest.mark.django_db
def test_all_copies_of_a_large_image_are_made_by_decoding_it_once(settings, monkeypatch):
    settings.STORE_URL = storage.join(settings.STORE_URL, "of-this-test")
    uri = builders.tiny_images(1, account=builders.an_account(), size=(2000, 20))[0]
    images.picture(uri=uri, max_side=160)
    kept = storage.join(settings.STORE_URL, "thumbnails") + "/"
    before = {item.uri for item in storage.list(kept)}
    # Nobody else can decode a large image now: what is shown was kept.
    with decoding.turn(LARGE):
        for side in images.SIDES:
            images.picture(uri=uri, max_side=side)
    assert {item.uri for item in storage.list(kept)} == before
