"""One process at a time, without waiting."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from django.db import connection, transaction

from marketplace import locks
from tests import databases

pytestmark = pytest.mark.django_db(transaction=True)
HOLD = """
import django; django.setup()
import sys, time
from marketplace import locks
with locks.only_one("hive") as mine:
    print(mine, flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_so_at_once_and_may_come_after_the_first():
    with locks.only_one("hive") as first, locks.only_one("hive") as second, locks.only_one("meadow") as other:
        assert (first, second, other) == (True, False, True)
    with locks.only_one("hive") as again:
        assert again


def test_the_lock_is_free_the_moment_the_block_ends():
    for _ in range(200):
        with locks.only_one("hive") as mine:
            assert mine


def test_the_holder_may_begin_and_end_transactions():
    with locks.only_one("hive") as mine:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        with locks.only_one("hive") as other:
            assert mine and not other


def test_another_thread_is_told_so_too():
    found = []

    def ask():
        with locks.only_one("hive") as mine:
            found.append(mine)
        connection.close()

    with locks.only_one("hive"):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert found == [False]


def test_a_killed_process_lets_go():
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=os.environ | {"WAGGLE_DATABASE_URL": databases.address(), "DJANGO_SETTINGS_MODULE": "marketplace.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout.readline() == "True\n"
        with locks.only_one("hive") as mine:
            assert not mine
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    # The server notices the closed socket a moment later.
    for _ in range(1000):
        with locks.only_one("hive") as mine:
            if mine:
                return
    raise AssertionError("a killed process still holds the lock")
