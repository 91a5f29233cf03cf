"""Pictures that every browser shows although something beside their pixels is large, odd or damaged."""

from pathlib import Path

import pytest

from labeling.models import DataObject
from tests.cases.requesters import Requester, states

pytestmark = pytest.mark.django_db


def is_an_ordinary_picture(requester: Requester, name: str, content: bytes) -> DataObject:
    """It is taken in, measured, shown to people as a picture, and labeled."""
    made = requester.uploaded([(name, content)])
    job = requester.job(made)
    row = DataObject.objects.get(job=job)
    assert (row.state, row.failure_reason) == ("PendingHuman", "")
    shown = requester.client.get(image_url(requester, job))
    assert (shown.content, shown["Content-Type"][:6]) == (content, "image/")
    assert requester.client.get(image_url(requester, job) + "?side=64")["Content-Type"] == "image/jpeg"
    width, height = row.width, row.height
    size = {"width": width, "height": height}
    box = {"left": 0, "top": 0, "width": width, "height": height, "label": "bee"}
    job = requester.box_everything(job, {"boundingBox": {"boundingBoxes": [box], "inputImageProperties": size}})
    assert (job.status, states(job)) == ("Completed", ["HumanLabeled"])
    return row


def image_url(requester: Requester, job) -> str:
    (row,) = requester.get(f"labeling-jobs/{job.pk}/objects")["results"]
    return row["image_url"]


def test_i01_big_icc_png(case: Path, requester: Requester) -> None:
    is_an_ordinary_picture(requester, "big-icc.png", (case / "big-icc.png").read_bytes())


def test_i02_big_ztxt_png(case: Path, requester: Requester) -> None:
    is_an_ordinary_picture(requester, "big-ztxt.png", (case / "big-ztxt.png").read_bytes())


def test_i05_cut_23_bytes_jpg(case: Path, requester: Requester) -> None:
    is_an_ordinary_picture(requester, "cut-23-bytes.jpg", (case / "cut-23-bytes.jpg").read_bytes())


def test_i17_bad_crc_png(case: Path, requester: Requester) -> None:
    is_an_ordinary_picture(requester, "bad-crc.png", (case / "bad-crc.png").read_bytes())
