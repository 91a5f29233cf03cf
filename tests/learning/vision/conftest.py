"""A model trained once by the real program, shared by the tests of this folder."""

from collections.abc import Iterator

import pytest

from learning.contract import JobFolder
from tests.learning.vision import jobs


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[JobFolder, str]]:
    """A finished training job and what it said on stdout."""
    folder = jobs.training_job(tmp_path_factory.mktemp("trained") / "job", eval_every=1)
    status, out, err = jobs.finish("train", folder)
    assert status == 0, err
    yield folder, out
