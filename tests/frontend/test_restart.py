"""Processes are renewed under load: no request is refused or cut off, no message is lost."""

import os
import signal
import threading
import time

import psutil
import pytest

from tests.frontend.web_process import Web, web
from tests.journeys.system import System, running

# For a migrated database to copy (see tests/databases.py); in one process, so that servers do not take turns.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("restart"),
]


class Asking(threading.Thread):
    """A client that asks again and again, each time on a connection of its own, and counts what it gets."""

    def __init__(self, server: Web):
        super().__init__(daemon=True)
        self.server, self.over = server, threading.Event()
        self.answers: list[object] = []

    def run(self) -> None:
        while not self.over.is_set():
            try:
                self.answers.append(self.server.get("/health/", timeout=120)[0])
            except OSError as error:
                self.answers.append(error)

    def until(self, more: int) -> None:
        """Wait until it has got so many further answers."""
        wanted = len(self.answers) + more
        deadline = time.monotonic() + 300
        while len(self.answers) < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_the_web_server_is_renewed_and_no_request_is_lost(django_db_setup):
    with web(WAGGLE_WEB_WORKERS="2") as server:
        before = {process.pid for process in server.answering()}
        clients = [Asking(server) for _ in range(3)]
        for client in clients:
            client.start()
        try:
            clients[0].until(3)
            server.main.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + 600
            while any(psutil.pid_exists(pid) for pid in before):
                assert time.monotonic() < deadline, server.system.logs()
                time.sleep(0.2)
            # The new processes answer.
            clients[0].until(3)
        finally:
            for client in clients:
                client.over.set()
            for client in clients:
                client.join()
        after = {process.pid for process in server.answering()}
        assert len(after) == 2 and not after & before
        answers = [answer for client in clients for answer in client.answers]
        assert answers and set(answers) == {200}, answers


def messages(system: System) -> int:
    return int(system.query("SELECT count(*) FROM django_q_ormq")[0][0])


ENQUEUE = """
import django
django.setup()
from django.db import transaction
from marketplace import queue
with transaction.atomic():
    for number in range(40):
        # Of an invitation that there is not: it does nothing, and that well.
        queue.enqueue("frontend.background.mail_invitation", -number - 1)
"""


def test_the_queue_ends_with_what_it_has_begun_and_loses_no_message(django_db_setup):
    with running(only=["web", "queue"]) as system:
        system.run("-c", ENQUEUE)
        system.until(lambda: messages(system), lambda left: left < 40)
        process = system.processes["queue"]
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(300) == 0
        # What it had taken it has done; nothing is held by a process that is gone, to be delivered again much later.
        held = "SELECT count(*) FROM django_q_ormq WHERE lock > now()"
        assert system.query(held) == [(0,)], system.logs()
        assert system.query("SELECT count(*) FROM django_q_task WHERE NOT success") == [(0,)]
        system.start("queue")
        system.until(lambda: messages(system), lambda left: left == 0)
