"""Fixtures of the tests of the REST API."""

import pytest

from tests import builders
from tests.frontend.callers import Caller


@pytest.fixture
def requester(live_server):
    """Owner of an account with fifty dollars, as a client of the live server."""
    user, account = builders.a_requester(funds="50")
    caller = Caller(live_server.url, user, account)
    caller.user, caller.account = user, account
    return caller
