"""A web server on this machine that has pictures, and misbehaves on some paths; exports that point to it."""

import http.server
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests import builders


class PictureServer:
    """`asked` counts the requests by path; paths in `answers` have that status in place of a picture."""

    def __init__(self, url: str):
        self.url = url
        self.asked: Counter[str] = Counter()
        self.answers: dict[str, list[int]] = {}

    def export(self, *rows: tuple[str, str]) -> bytes:
        """An iNaturalist export with a row for each (path, licence)."""
        lines = ["id,license,user_login,image_url,scientific_name"]
        lines += [f"{n},{licence},ana,{self.url}{path},Apis mellifera" for n, (path, licence) in enumerate(rows, 1)]
        return "\n".join(lines).encode() + b"\n"


@contextmanager
def serving() -> Iterator[PictureServer]:
    """Serve on loopback; the caller allows the address (FETCH_ALLOWED_HOSTS)."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked[self.path] += 1
            statuses = server.answers.get(self.path, [])
            status = statuses.pop(0) if statuses else 200
            body = (
                b"<html>gone</html>" if self.path.startswith("/html") else builders.image_bytes(number=len(self.path))
            )
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server = PictureServer(f"http://127.0.0.1:{httpd.server_address[1]}")
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
