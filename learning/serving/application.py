"""What a replica answers, as an ASGI application: GET /ping and POST /invocations, as SageMaker's containers do.

It must not know what listens to the network, nor where models come from.
"""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from learning.serving.batching import Batcher, QueueFull
from learning.serving.detector import Detection

log = logging.getLogger(__name__)

CONTENT_TYPES = ("image/jpeg", "image/png", "application/x-image")
MAX_BODY_BYTES = 6_291_456
"""The largest body that InvokeEndpoint takes."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Refused(Exception):
    """The request gets this status and this message."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code, self.message = code, message


class Gone(Exception):
    """The caller hung up before the request was complete."""


class Application:
    """Answers for one model. Callers have to know `token`; an empty one lets everybody in."""

    def __init__(self, batcher: Batcher, *, token: str = "", max_body_bytes: int = MAX_BODY_BYTES):
        self._batcher, self._token, self._max_body_bytes = batcher, token, max_body_bytes

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            status, body = 200, await self._answer(scope["method"], scope["path"], headers, receive)
        except Refused as refused:
            status, body = refused.code, orjson.dumps({"message": refused.message})
        except Gone:
            return
        except Exception as error:
            log.exception("%s %s failed", scope["method"], scope["path"])
            status, body = 500, orjson.dumps({"message": f"the model failed: {type(error).__name__}: {error}"})
        sent = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, method: str, path: str, headers: dict[str, str], receive: Receive) -> bytes:
        if not hmac.compare_digest(headers.get("authorization", "").encode(), self._expected):
            raise Refused(401, "the token of this replica is missing or wrong")
        if (method, path) == ("GET", "/ping"):
            return b"{}"
        if (method, path) != ("POST", "/invocations"):
            raise Refused(404, f"{method} {path}: there are GET /ping and POST /invocations")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in CONTENT_TYPES:
            raise Refused(415, f"the content type is {kind!r}, {' or '.join(CONTENT_TYPES)} expected")
        image = await self._body(headers, receive)
        try:
            found = await asyncio.wrap_future(self._batcher.submit(image))
        except QueueFull as full:
            raise Refused(429, f"{full}; try again in a moment") from None
        if found.error is not None:
            raise Refused(400, found.error)
        return answer_body(found)

    @property
    def _expected(self) -> bytes:
        return f"Bearer {self._token}".encode() if self._token else b""

    async def _body(self, headers: dict[str, str], receive: Receive) -> bytes:
        announced = headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > self._max_body_bytes:
            raise Refused(413, self._too_large(int(announced)))
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise Gone
            part, more = message.get("body", b""), message.get("more_body", False)
            size += len(part)
            if size > self._max_body_bytes:
                raise Refused(413, self._too_large(size))
            parts.append(part)
        return b"".join(parts)

    def _too_large(self, size: int) -> str:
        return f"the body has {size:,} bytes or more, at most {self._max_body_bytes:,} are taken"


def answer_body(found: Detection) -> bytes:
    """{"prediction": [[class, score, xmin, ymin, xmax, ymax], ...]}: best first, corners as shares of the picture."""
    assert found.image_size is not None  # there is one where there is no error
    width, height = found.image_size["width"], found.image_size["height"]
    rows = [
        [
            float(box.class_id),
            box.score,
            round(box.left / width, 6),
            round(box.top / height, 6),
            round(min((box.left + box.width) / width, 1.0), 6),
            round(min((box.top + box.height) / height, 1.0), 6),
        ]
        for box in found.boxes
    ]
    return orjson.dumps({"prediction": rows})
