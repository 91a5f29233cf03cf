"""Inputs that people who do this job have, each after a public report: read from ../shared/cases, else skipped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from marketplace import storage
from tests import builders
from tests.cases.requesters import Requester
from tests.conftest import SHARED_DATASETS
from tests.object_stores import make_bucket, s3_servers  # noqa: F401

CASES = SHARED_DATASETS.parent / "cases"


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Path:
    """The folder of the case for which the test is named: test_e01_... reads E01-..."""
    letter_number = request.node.name.removeprefix("test_")[:3].upper()
    if not CASES.is_dir():
        pytest.skip("the shared field cases (../shared/cases) are not on this machine")
    (folder,) = CASES.glob(f"{letter_number}-*")
    return folder


@pytest.fixture
def requester(db: None) -> Requester:
    """A requester with money, a team and a token."""
    return Requester()


@pytest.fixture
def field(make_bucket: Callable[[str], str], s3_servers: dict[str, str], settings: Any) -> str:  # noqa: F811
    """The bucket s3://field of the cases, granted to every account; pictures come into it by `put_pictures`."""
    make_bucket(s3_servers["moto"])
    settings.S3_INPUT_BUCKETS = frozenset({"field"})
    if not storage.prepare("s3://field"):
        for item in list(storage.list("s3://field/")):
            storage.delete(item.uri)
    return "s3://field"


def put_pictures(*uris: str, size: tuple[int, int] = (120, 80)) -> None:
    """Store a picture of its own under each address."""
    for number, uri in enumerate(uris):
        storage.write(uri, builders.image_bytes(size=size, number=number, form="JPEG"), content_type="image/jpeg")
