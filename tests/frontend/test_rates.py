"""From which address a request comes, and how many requests a caller has, counted over all processes."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from frontend.rates import BLOCKS, Allowances, address_of
from marketplace.services import rates

ROOT = Path(__file__).resolve().parents[2]
PROXY = "10.0.0.7"
UNTIL_REFUSED = """
import django; django.setup()
from frontend.rates import Allowances
allowances, count = Allowances(), 0
while allowances.take("bee", most=1000, seconds=3600)[0]:
    count += 1
print(count)
"""


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        (0, None, PROXY),
        (0, "192.0.2.1", PROXY),
        (0, "192.0.2.1, 198.51.100.1", PROXY),
        (1, None, PROXY),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "chosen by the client, 192.0.2.1", "192.0.2.1"),
        (1, "198.51.100.1,192.0.2.1", "192.0.2.1"),
        (2, "chosen by the client, 192.0.2.1, 198.51.100.1", "192.0.2.1"),
        # All addresses of such a network belong to one client.
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_the_address_is_what_the_outermost_proxy_of_one_s_own_saw(settings, proxies, header, expected):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": proxies}
    headers = {"X-Forwarded-For": header} if header is not None else {}
    assert address_of(RequestFactory(REMOTE_ADDR=PROXY, headers=headers).get("/")) == expected


def test_a_server_on_a_unix_socket_knows_no_address():
    assert address_of(RequestFactory(REMOTE_ADDR="").get("/")) == ""


@pytest.mark.django_db
@pytest.mark.parametrize("most", [0, 1, 7, 100, 250])
def test_one_process_gets_exactly_what_is_allowed(most):
    allowances = Allowances()
    granted = [allowances.take("bee", most=most, seconds=3600)[0] for _ in range(most + 5)]
    assert granted == [True] * most + [False] * 5
    assert allowances.take("wasp", most=1, seconds=3600)[0]


@pytest.mark.django_db
def test_few_requests_ask_the_database_and_none_of_those_refused():
    allowances = Allowances()
    with CaptureQueriesContext(connection) as asked:
        for _ in range(60 * BLOCKS):
            assert allowances.take("bee", most=60 * BLOCKS, seconds=3600)[0]
    assert len(asked) == BLOCKS
    assert not allowances.take("bee", most=60 * BLOCKS, seconds=3600)[0]
    with CaptureQueriesContext(connection) as asked:
        allowed, left = allowances.take("bee", most=60 * BLOCKS, seconds=3600)
    assert not allowed and 0 < left <= 3600 and not asked


@pytest.mark.django_db
def test_two_processes_together_get_no_more_than_one():
    """As many Allowances as there are processes."""
    several = [Allowances() for _ in range(3)]
    granted = sum(one.take("bee", most=250, seconds=3600)[0] for _ in range(250) for one in several)
    assert granted == 250


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_real_processes_share_one_window():
    parts = urlsplit(os.environ["WAGGLE_DATABASE_URL"])
    url = urlunsplit(parts._replace(path="/" + connection.settings_dict["NAME"]))
    environment = os.environ | {"WAGGLE_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    children = [
        subprocess.Popen([sys.executable, "-c", UNTIL_REFUSED], cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    counts = [int(child.communicate(timeout=120)[0]) for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert sum(counts) == 1000
    assert rates.take("bee", most=1000, seconds=3600)[0] == 0
