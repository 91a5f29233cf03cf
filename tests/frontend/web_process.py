"""The production web server as real processes, and clients that speak to it over plain sockets."""

import contextlib
import copy
import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from tests.journeys.system import System, free_port, running

REQUESTER = """
import django, json
django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from marketplace.services import accounts
from tests import builders
user, account = builders.a_requester()
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(json.dumps({"token": accounts.create_token(user=user, account=account, name="test")[1],
                  "cookie": "sessionid=" + session.session_key, "account": account.number}))
"""


class Web:
    """The web server alone, with a requester who has a token and a session."""

    def __init__(self, system: System, requester: dict[str, str]) -> None:
        self.system, self.port, self.requester = system, system.port, requester

    @contextmanager
    def another(self, **settings: str) -> "Iterator[Web]":
        """A second server beside this one, on the same database, with other settings."""
        system = copy.copy(self.system)
        system.port, system.processes = free_port(), {}
        system.url = f"http://127.0.0.1:{system.port}"
        system.environment = {**system.environment, "WAGGLE_BIND": f"127.0.0.1:{system.port}", **settings}
        try:
            system.start("web")
            system.wait_for_web()
            yield Web(system, self.requester)
        finally:
            # Nothing of it is left where a test has stopped it.
            with contextlib.suppress(ProcessLookupError):
                system.kill("web")

    def open(self, beginning: bytes = b"") -> socket.socket:
        """A connection that has sent so much."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(beginning)
        return connection

    def get(self, path: str = "/health/", *, method: str = "GET", timeout: float = 30, **headers: str) -> Any:
        """Status, headers and body of a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def post_file(
        self, path: str, *, size: int, chunked: bool = False, cookies: str = "", token: str = ""
    ) -> tuple[int, str]:
        """Status and body of the answer to a multipart form with one file of `size` zeros."""
        begin = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        if not chunked:
            headers["Content-Length"] = str(len(begin) + size + len(END))
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Cookie": cookies} if cookies else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            try:
                connection.request("POST", path, _form(begin, size), headers, encode_chunked=chunked)
            except (BrokenPipeError, ConnectionResetError):
                # The server has answered and hung up before it had everything, as it should.
                assert size > 16 * 2**20
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    @property
    def main(self) -> psutil.Process:
        """The process that was started; it watches over the others."""
        return psutil.Process(self.system.processes["web"].pid)

    def answering(self) -> list[psutil.Process]:
        """The processes that answer requests; beside them Python keeps one that knows of shared resources."""
        return [one for one in self.main.children() if "resource_tracker" not in " ".join(one.cmdline())]


@contextmanager
def web(**settings: str) -> Iterator[Web]:
    """The web server on a database of its own, with one process unless `settings` say otherwise."""
    with running(only=["web"], **settings) as system:
        yield Web(system, json.loads(system.run("-c", REQUESTER)))


END = b"\r\n--x--\r\n"


def _form(begin: bytes, size: int) -> Iterator[bytes]:
    yield begin
    for _ in range(size // 65_536):
        yield bytes(65_536)
    yield bytes(size % 65_536)
    yield END
