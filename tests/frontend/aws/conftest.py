"""Fixtures of the tests of the AWS wire."""

import pytest

from tests import builders
from tests.frontend.aws.clients import Aws, direct


@pytest.fixture
def aws(live_server) -> Aws:
    """Owner of an account with fifty dollars, whose boto3 speaks to the live server."""
    return Aws(f"{live_server.url}/aws", *builders.a_requester(funds="50"))


@pytest.fixture
def inside(db) -> Aws:
    """The same, whose requests go straight into Django."""
    return direct(*builders.a_requester(funds="50"))
