"""The keys that workers have chosen: kept over REST, on the page of a task, each worker's own."""

import pytest
from django.test import Client

from marketplace.errors import LimitExceeded
from marketplace.models import ChosenKeys
from marketplace.services import chosen_keys
from tests.frontend.test_wizard import config_of
from tests.labeling import stories

pytestmark = pytest.mark.django_db
KEYS = "/api/v1/chosen-keys"
BOXES = f"{KEYS}/crowd-bounding-box"


def signed_in(worker) -> Client:
    client = Client()
    client.force_login(worker.user)
    return client


def put(client: Client, keys, address: str = BOXES):
    return client.put(address, {"keys": keys}, content_type="application/json")


def test_keys_are_kept_with_the_worker_and_come_with_every_task_page():
    job, (one, other) = stories.an_open_job(workers=2, objects=1)
    mine, theirs = signed_in(one), signed_in(other)
    assert mine.get(KEYS).json() == {"keys": {}}
    assert put(mine, {"next": "q", "hide-one": "⇧j"}).json() == {
        "element": "crowd-bounding-box",
        "keys": {"next": "q", "hide-one": "⇧j"},
    }
    assert put(mine, {"brush": "w"}, f"{KEYS}/crowd-semantic-segmentation").status_code == 200
    assert put(mine, {"next": "w"}).status_code == 200, "the newest choice counts"
    kept = {"crowd-bounding-box": {"next": "w"}, "crowd-semantic-segmentation": {"brush": "w"}}
    assert mine.get(KEYS).json() == {"keys": kept}
    pages = [config_of(client.get(f"/work/{job.queue_id}/").content.decode()) for client in (mine, theirs)]
    assert [page["keys"] for page in pages] == [kept, {}]
    assert put(mine, {}).json()["keys"] == {}
    assert mine.get(KEYS).json()["keys"]["crowd-bounding-box"] == {}, "the usual keys are a choice, too"


@pytest.mark.parametrize(
    ("address", "keys"),
    [
        (BOXES, ["q"]),
        (BOXES, {"next": 1}),
        (BOXES, {"next": ""}),
        (BOXES, {"next": "q" * 21}),
        (BOXES, {"next": "\n"}),
        (BOXES, {"Next!": "q"}),
        (BOXES, {"next": "q", "previous": "q"}),
        (BOXES, {f"command-{'abcdefgh'[n % 8] * (n + 1)}": str(n) for n in range(61)}),
        (f"{KEYS}/bounding-box", {"next": "q"}),
        (f"{KEYS}/crowd-{'x' * 60}", {"next": "q"}),
    ],
)
def test_what_are_no_keys_is_refused(address, keys):
    (worker,) = stories.a_crowd(1)
    assert put(signed_in(worker), keys, address).status_code == 400
    assert not ChosenKeys.objects.exists()


def test_there_is_an_end_to_elements(monkeypatch):
    (worker,) = stories.a_crowd(1)
    monkeypatch.setattr(chosen_keys, "MOST_ELEMENTS", 1)
    chosen_keys.keep(worker=worker, element="crowd-polygon", keys={"next": "q"})
    chosen_keys.keep(worker=worker, element="crowd-polygon", keys={"next": "w"})
    with pytest.raises(LimitExceeded):
        chosen_keys.keep(worker=worker, element="crowd-line", keys={"next": "q"})
    assert chosen_keys.of(worker) == {"crowd-polygon": {"next": "w"}}
