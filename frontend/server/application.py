"""The portal behind an ASGI server: whole requests are handed to a WSGI application, in a fixed number of threads.

Bodies are collected here, where a slow client costs a buffer and no thread, until they are complete, too large or too
slow; answers go out piece by piece as fast as the client reads. Knows nothing of what a request is about.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from frontend.server.environ import environ_of

logger = logging.getLogger(__name__)

PIECE = 256 * 1024
"""Bytes that are sent, or written to a temporary file, at a time."""
IN_MEMORY = 1024 * 1024
"""Bytes of a body that are kept in memory; a larger body goes to a temporary file, once it is known to be welcome."""
DRAINED = 16 * 1024 * 1024
"""Bytes of a refused body that are read and thrown away: most clients read no answer before they have sent all."""
RATE = 10_000
"""Bytes a second: slower bodies are cut off, but for the seconds that every request has."""
STALLED_SECONDS = 60
"""After how long an answer is given up of which the client reads nothing."""

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class TooSlow(Exception):
    """The body did not arrive in time."""


class Gone(Exception):
    """The client hung up before its request was complete."""


@dataclass
class Body:
    """What was received: `size` bytes. A refused body is empty, and `size` says how large it was announced to be."""

    file: IO[bytes]
    size: int
    refused: bool = False


@dataclass
class Answer:
    """A response of the WSGI application: its first bytes and, unless they are all, where further ones come from."""

    status: int
    headers: list[tuple[bytes, bytes]]
    first: bytes
    more: Iterator[bytes] | None
    close: Callable[[], None]


class Application:
    """An ASGI application around a WSGI one. `unasked` bytes of body are taken from everybody.

    For a larger body `admit` is called in a thread, with the environ of the request, and says how many bytes are taken;
    a body that is larger still is not read, and the WSGI application sees its length and no content.
    """

    def __init__(self, wsgi: Wsgi, *, threads: int, seconds: float, unasked: int, admit: Callable[[dict], int]):
        self._wsgi, self._seconds, self._unasked, self._admit = wsgi, seconds, unasked, admit
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        # Of their own, so that a body that comes in never waits for the requests that are being answered.
        self._files = ThreadPoolExecutor(2, thread_name_prefix="body")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']!r} found, only http is spoken here")
        environ = environ_of(scope)
        try:
            body = await self._body(environ, receive)
            with body.file:
                environ |= {"wsgi.input": body.file, "CONTENT_LENGTH": str(body.size)}
                answer = await self._in_thread(self._begin, environ)
        except TooSlow:
            await _refuse(send, 408, f"the body did not arrive within {self._seconds:g} s plus 1 s for {RATE:,} bytes")
        except Gone:
            logger.debug("%s %s: the client hung up", environ["REQUEST_METHOD"], environ["PATH_INFO"])
        except Exception:  # noqa: BLE001 - logged; one request failed, the process goes on
            logger.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            await _refuse(send, 500, "the error has been logged; try again in a moment")
        else:
            await self._answer(answer, send, head=scope["method"] == "HEAD", close=body.refused)

    # --- the request ----------------------------------------------------------------------------------------------

    async def _body(self, environ: dict[str, Any], receive: Receive) -> Body:
        """The whole body. Raises TooSlow and Gone."""
        announced = int(environ.get("CONTENT_LENGTH") or 0)
        if not announced and "HTTP_TRANSFER_ENCODING" not in environ:
            return Body(BytesIO(), 0)
        most = self._unasked
        if announced > most:
            most = await self._in_thread(self._admit, environ)
        if announced > most:
            return await self._refused(announced, receive)
        file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - it is closed when the request is answered
        try:
            return await self._collect(environ, receive, cast(IO[bytes], file), most)
        except BaseException:
            file.close()
            raise

    async def _collect(self, environ: dict[str, Any], receive: Receive, file: IO[bytes], most: int) -> Body:
        start = asyncio.get_running_loop().time()
        size, more, waiting = 0, True, bytearray()
        while more:
            part, more = await _next(receive, start + self._seconds + size / RATE)
            size += len(part)
            # A body that is sent in chunks has no length that could be looked at before.
            if size > most and most == self._unasked:
                most = await self._in_thread(self._admit, environ | {"CONTENT_LENGTH": str(size)})
            if size > most:
                file.close()
                return await self._refused(size, receive if more else None)
            waiting += part
            if len(waiting) >= PIECE:
                await asyncio.get_running_loop().run_in_executor(self._files, file.write, bytes(waiting))
                waiting.clear()
        file.write(waiting)
        file.seek(0)
        return Body(file, size)

    async def _refused(self, size: int, receive: Receive | None) -> Body:
        """A body that is not wanted; what a client sends soon is thrown away, so that it comes to read the answer."""
        left, more = DRAINED if size <= DRAINED else 0, receive is not None
        until = asyncio.get_running_loop().time() + self._seconds
        while more and left > 0 and receive is not None:
            part, more = await _next(receive, until)
            left -= len(part)
        return Body(BytesIO(), size, refused=True)

    # --- the answer -----------------------------------------------------------------------------------------------

    def _begin(self, environ: dict[str, Any]) -> Answer:
        """Run the WSGI application, in a thread."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started.append((status, headers))

        result = self._wsgi(environ, start_response)
        close = getattr(result, "close", lambda: None)
        try:
            parts = iter(result)
            first, ended = _gather(parts)
        except BaseException:
            close()
            raise
        if ended:
            close()
        status, headers = started[-1]
        sent = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return Answer(int(status.split(" ", 1)[0]), sent, first, None if ended else parts, close)

    async def _answer(self, answer: Answer, send: Send, *, head: bool, close: bool) -> None:
        headers = [*answer.headers, (b"connection", b"close")] if close else answer.headers
        try:
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await self._send_all(answer, send, head=head)
        except TimeoutError:
            logger.info("an answer was given up: the client read nothing of it for %d s", STALLED_SECONDS)
        finally:
            if answer.more is not None:
                await self._in_thread(answer.close)

    async def _send_all(self, answer: Answer, send: Send, *, head: bool) -> None:
        data, more = answer.first, answer.more
        while not head:
            view = memoryview(data)
            for at in range(0, len(view) - PIECE, PIECE):
                await _send_piece(send, bytes(view[at : at + PIECE]), more=True)
            last = (len(view) - 1) // PIECE * PIECE if len(view) else 0
            await _send_piece(send, bytes(view[last:]), more=more is not None)
            if more is None:
                return
            data, ended = await self._in_thread(_gather, more)
            more = None if ended else more
        await _send_piece(send, b"", more=False)

    def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Awaitable[Any]:
        return asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def _gather(parts: Iterator[bytes]) -> tuple[bytes, bool]:
    """The next bytes, at least PIECE of them unless they end before, and whether they have ended."""
    found: list[bytes] = []
    size = 0
    for part in parts:
        found.append(part)
        size += len(part)
        if size >= PIECE:
            return b"".join(found), False
    return b"".join(found), True


async def _next(receive: Receive, until: float) -> tuple[bytes, bool]:
    """The next bytes of the body and whether more follow. Raises TooSlow at the loop's time `until`, Gone."""
    try:
        async with asyncio.timeout_at(until):
            message = await receive()
    except TimeoutError:
        raise TooSlow from None
    if message["type"] != "http.request":
        raise Gone
    return message.get("body", b""), message.get("more_body", False)


async def _send_piece(send: Send, data: bytes, *, more: bool) -> None:
    async with asyncio.timeout(STALLED_SECONDS):
        await send({"type": "http.response.body", "body": data, "more_body": more})


async def _refuse(send: Send, status: int, reason: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    data = f"{reason}\n".encode()
    length = (b"content-length", str(len(data)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await _send_piece(send, data, more=False)
