"""A program that serves until SIGTERM: GET /ping answers 200 once it is warm, GET /die ends it with status 3.

Hyperparameters: _cold: answers 503 for ever; _fail: a reason, with which it ends at once (_exit: the status).
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from learning.contract import JobFolder, write_atomically


def main(root: Path) -> int:
    folder = JobFolder(root)
    folder.start()
    given = folder.read_hyperparameters()
    if "_fail" in given:
        folder.write_failure(given["_fail"])
        return int(given.get("_exit", "1"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503 if "_cold" in given else 200)
            self.end_headers()
            if self.path == "/die":
                self.wfile.flush()
                os._exit(3)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = HTTPServer(("127.0.0.1", 0), Handler)
    write_atomically(folder.output / "port", str(server.server_port))
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
