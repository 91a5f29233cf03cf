"""Files of an upload by REST: how many, names of any script, two of one name, endings that Windows and S3 keys have."""

from pathlib import Path

import pytest

from tests import builders
from tests.cases.requesters import Requester

pytestmark = pytest.mark.django_db


def test_u01_more_than_100_files_in_one_request(case: Path, requester: Requester) -> None:
    files = [(f"{number:03}.png", builders.image_bytes(number=number)) for number in range(150)]
    problem = requester.upload(files, status=413)
    assert "at most 100 files: send the others in further requests with the `folder`" in problem["detail"]


def test_u02_chinese_names_collide_on_upload(case: Path, requester: Requester) -> None:
    files = sorted((path.name, path.read_bytes()) for path in case.glob("*.jpg"))
    made = requester.uploaded(files)
    assert len(files) == 3
    assert (sorted(zip(made.names, made.contents, strict=True)), made.refused) == (files, [])


def test_u03_same_name_from_two_folders_on_upload(case: Path, requester: Requester) -> None:
    files = [("IMG_0001.jpg", path.read_bytes()) for path in sorted(case.glob("*.jpg"))]
    made = requester.uploaded(files)
    assert (made.names, sorted(made.contents)) == (["IMG_0001.jpg"] * 2, sorted(content for _, content in files))
    exported = requester.export(requester.job(made), "manifest", images=True)
    assert len(exported.files) == 2 and "images/IMG_0001.jpg" in exported.files


def test_u05_jfif_extension(case: Path, requester: Requester) -> None:
    files = [(path.name, path.read_bytes()) for path in sorted(case.iterdir()) if path.name != "README"]
    made = requester.uploaded(files)
    assert (made.names, made.refused) == (["photo.jfif", "photo.jpe"], [])
    assert requester.job(made).objects_total == 2


def test_u07_no_extension(case: Path, requester: Requester, field: str) -> None:
    from tests.cases.conftest import put_pictures

    uris = [f"{field}/run2/u07/3f0c9a8e-000{number}" for number in range(3)]
    put_pictures(*uris)
    made = requester.dataset("prefix", f"{field}/run2/u07/")
    assert ([line["source-ref"] for line in made.lines], made.refused) == (uris, [])
    assert requester.job(made).objects_total == 3
