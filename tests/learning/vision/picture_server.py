"""A real HTTP server with pictures, ranges, and the faults that stores have: late, broken off, busy, gone."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PictureServer(ThreadingHTTPServer):
    """`files` by path; `faults` says what happens to the next requests of a path, one after the other."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[str | int]] = {}
        self.asked: Counter[str] = Counter()
        self.ranges: list[str] = []
        self.latency, self.now, self.most_at_once = 0.0, 0, 0
        self.lock = threading.Lock()

    def url(self, path: str) -> str:
        """The address of a file."""
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


@contextmanager
def serving() -> Iterator[PictureServer]:
    """A server that runs while the block does."""
    with PictureServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PictureServer

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """See http.server."""
        server, path = self.server, self.path.partition("?")[0]
        with server.lock:
            server.asked[path] += 1
            server.now += 1
            server.most_at_once = max(server.most_at_once, server.now)
            fault = server.faults.get(path, [None]).pop(0) if server.faults.get(path) else None
        try:
            time.sleep(server.latency)
            self._answer(path, fault)
        finally:
            with server.lock:
                server.now -= 1

    def _answer(self, path: str, fault: str | int | None) -> None:
        data = self.server.files.get(path)
        if isinstance(fault, int) or data is None:
            self.send_response(fault if isinstance(fault, int) else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first, last = 0, len(data) - 1
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked and fault != "no ranges":
            self.server.ranges.append(asked[0])
            first, last = int(asked[1]), min(int(asked[2] or last), last)
            self.send_response(206)
        else:
            self.send_response(200)
        body = data[first : last + 1]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault == "broken off" else body)
        if fault == "broken off":
            self.close_connection = True
