"""Keys that S3 allows and other stores do not."""

from pathlib import Path

import pytest

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
