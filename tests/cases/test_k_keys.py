"""Keys that S3 allows and other stores do not."""

import json
from pathlib import Path

import pytest

from marketplace import storage
from tests.cases.conftest import put_pictures
from tests.cases.requesters import Requester, states

pytestmark = pytest.mark.django_db


def test_k01_s3_key_with_leading_slash(case: Path, requester: Requester, field: str) -> None:
    uris = [f"{field}//run2/k01/{number}.jpg" for number in range(2)]
    put_pictures(*uris)
    made = requester.dataset("prefix", f"{field}//run2/k01/")
    assert ([line["source-ref"] for line in made.lines], made.refused) == (uris, [])
    job = requester.box_everything(requester.job(made))
    assert (job.status, states(job)) == ("Completed", ["HumanLabeled"] * 2)
    exported = requester.export(job, "coco", images=True)
    assert all(not image["file_name"].startswith("/") for image in exported.coco["images"])
    assert len(exported.files) == 3


# --- other keys of the same kind ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys",
    [
        ["/k/a.jpg", "//k/a.jpg", "///k/a.jpg"],
        ["k//a.jpg", "k///b.jpg", "k/c//d.jpg"],
        ["k/a b.jpg", "k/ a.jpg", "k/a .jpg", "k/a\u3000b.jpg"],
        ["k/a#1.jpg", "k/a?v=1.jpg", "k/a%20b.jpg", "k/a+b.jpg", "k/a&b=c.jpg", "k/a;b.jpg"],
        ["k/蜂.jpg", "k/é.jpg", "k/e\u0301.jpg", "k/🐝.jpg"],
        ["k/12:30.jpg", "k/a\\b.jpg", "k/a|b.jpg", "k/a*b.jpg", 'k/a"b.jpg', "k/<a>.jpg"],
        ["k/a.jpg", "k/A.jpg", "k/a.JPG", "k/a"],
        ["k/site=a/b.jpg", "k/@a.jpg", "k/(a).jpg", "k/a,b.jpg", "k/$a.jpg", "k/!a'.jpg", "k/~a.jpg", "k/-a.jpg"],
    ],
)
def test_keys_that_s3_allows_are_taken_in_and_labeled(
    requester: Requester, field: str, keys: list[str], tmp_path: Path
) -> None:
    uris = sorted(f"{field}/{key}" for key in keys)
    put_pictures(*uris)
    found = []
    for prefix in sorted({f"{field}/{key[: key.index('k/') + 2]}" for key in keys}):
        made = requester.dataset("prefix", prefix)
        found += [line["source-ref"] for line in made.lines]
        assert made.refused == []
    assert sorted(found) == uris
    made = requester.manifest("\n".join(json.dumps({"source-ref": uri}) for uri in uris).encode())
    job = requester.box_everything(requester.job(made))
    assert (job.status, states(job)) == ("Completed", ["HumanLabeled"] * len(keys))
    archive = requester.export(job, "yolo", images=True).archive
    archive.extractall(tmp_path)
    index = [json.loads(line) for line in archive.read("images.jsonl").splitlines()]
    assert [entry["source-ref"] for entry in index] == uris
    assert [(tmp_path / entry["file"]).read_bytes() for entry in index] == [storage.read(uri) for uri in uris]


@pytest.mark.parametrize("key", ["../k/a.jpg", "k/../../a.jpg", "/../a.jpg", "k/./a.jpg"])
def test_a_key_that_leads_elsewhere_is_reported_by_line(requester: Requester, field: str, key: str) -> None:
    put_pictures(f"{field}/k/a.jpg")
    lines = [{"source-ref": f"{field}/{key}"}, {"source-ref": f"{field}/k/a.jpg"}]
    made = requester.manifest("\n".join(json.dumps(line) for line in lines).encode())
    (refused,) = made.refused
    assert (refused.number, made.row["objects_total"]) == (1, 1)
