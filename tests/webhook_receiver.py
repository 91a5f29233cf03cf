"""A receiver of webhooks on loopback that keeps what it is sent."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Receiver:
    """What came, in order: (body, headers). It answers with `status`."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, dict[str, str]]] = []
        self.status = 200
        # Called with the number of the request, counted from 1.
        self.before_answer: Callable[[int], object] = lambda _: None
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((body, {name.lower(): value for name, value in self.headers.items()}))
                receiver.before_answer(len(receiver.got))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def host(self) -> str:
        """host:port, as WAGGLE_FETCH_ALLOWED_HOSTS has it."""
        return f"127.0.0.1:{self.server.server_port}"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}/events"

    @property
    def events(self) -> list[dict[str, Any]]:
        """The bodies that came."""
        return [json.loads(body) for body, _ in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens until the end of the block."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()
