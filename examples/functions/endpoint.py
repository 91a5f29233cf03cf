"""An endpoint for the functions of insects.py, with nothing beyond Python's library.

SECRET=whsec_... python examples/functions/endpoint.py 8090

answers POST /prepare and /merge. SECRET is the one that the job was given: requests that it did not sign are refused.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

insects = import_module("insects")

FUNCTIONS = {"/prepare": insects.prepare, "/merge": insects.merge}
OLDEST = 300
"""Seconds after which a signature is not taken any more."""


def is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether the secret has signed this request, not long ago (the convention is Standard Webhooks)."""
    try:
        sent, key = int(headers["webhook-timestamp"]), base64.b64decode(secret.removeprefix("whsec_"))
        given = base64.b64decode(headers["webhook-signature"].removeprefix("v1,"))
        signed = f"{headers['webhook-id']}.{sent}.".encode() + body
    except (KeyError, TypeError, ValueError, binascii.Error):
        return False
    right = hmac.digest(key, signed, hashlib.sha256)
    return abs(time.time() - sent) < OLDEST and hmac.compare_digest(given, right)


class Endpoint(BaseHTTPRequestHandler):
    """Answers with what the functions return."""

    secret = ""

    def do_POST(self) -> None:
        """Check the signature, call the function, answer its result as JSON."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        function = FUNCTIONS.get(self.path)
        if function is None:
            self.answer(404, {"error": f"there is no function at {self.path}"})
        elif not is_signed(self.headers, body, self.secret):
            self.answer(401, {"error": "the signature is missing, wrong or old"})
        else:
            try:
                self.answer(200, function(json.loads(body), None))
            except (KeyError, TypeError, ValueError) as error:
                # A 4xx says that asking again is of no use.
                self.answer(422, {"error": f"{type(error).__name__}: {error}"})

    def answer(self, status: int, said: Any) -> None:
        """Send JSON."""
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until it is ended."""
    Endpoint.secret = os.environ["SECRET"]
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8090
    with ThreadingHTTPServer(("127.0.0.1", port), Endpoint) as server:
        print(f"functions at http://127.0.0.1:{server.server_port}/prepare and /merge", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
