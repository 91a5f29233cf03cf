"""A session of `requests` that goes through marketplace/fetch.py, for libraries that make requests themselves."""

import io
from typing import Any

from requests import PreparedRequest, RequestException, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from marketplace.errors import DomainError
from marketplace.fetch import fetch

MAX_BYTES = 1024 * 1024
"""Bytes of an answer: documents, keys and tokens are far smaller."""

SECONDS = 10
"""How long one request may take; somebody waits for it."""


class Door(HTTPAdapter):
    """Sends by `fetch`: only to public addresses, without following redirects, within limits of size and time."""

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        """The answer, whatever its status. Raises RequestException where `fetch` raises."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if body is not None and not isinstance(body, bytes):
            raise RequestException("a body in pieces cannot be sent", request=request)
        try:
            answer = fetch(
                request.url or "",
                method=request.method or "GET",
                body=body,
                headers={name: _text(value) for name, value in request.headers.items()},
                max_bytes=MAX_BYTES,
                seconds=SECONDS,
                max_redirects=0,
            )
        except DomainError as error:
            raise RequestException(error.message, request=request) from error
        raw = HTTPResponse(io.BytesIO(answer.body), headers=answer.headers, status=answer.status, preload_content=False)
        return self.build_response(request, raw)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def session() -> Session:
    """A session that knows no other way out."""
    made = Session()
    made.trust_env = False
    made.adapters.clear()
    for scheme in ("https://", "http://"):
        made.mount(scheme, Door())
    return made
