"""The WSGI environ (PEP 3333) of an ASGI scope. Pure."""

import sys
from typing import Any
from urllib.parse import unquote_to_bytes

PLAIN = {b"content-length": "CONTENT_LENGTH", b"content-type": "CONTENT_TYPE"}
"""Headers whose variables do not begin with HTTP_."""


def environ_of(scope: dict[str, Any]) -> dict[str, Any]:
    """All of the environ but the body. Every text holds bytes, one a character, as WSGI has it.

    A header with an underscore in its name is left out: it would pass for the one with hyphens (X_Forwarded_For), which
    a proxy has checked.
    """
    server, client = scope.get("server") or ("localhost", 80), scope.get("client")
    raw = scope.get("raw_path")
    path = unquote_to_bytes(raw.split(b"?", 1)[0]) if raw else scope["path"].encode("utf-8", "surrogateescape")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 80),
        "REMOTE_ADDR": client[0] if client else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" in name:
            continue
        key = PLAIN.get(name) or "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        # Cookies are separated by semicolons, all others by commas (RFC 9110, 5.3; RFC 6265, 5.4).
        between = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{between}{text}" if key in environ else text
    return environ
