"""Reads and writes objects of the store by links that need no keys. Knows HTTP only."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import urllib3

_HTTP = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=10.0, read=120.0))
TRIES = 6
"""How often something is sent or fetched, with pauses that double: a store that restarts costs no run."""


class Gone(Exception):
    """There is nothing at the link: whoever gave it has taken it back."""


class NotSent(Exception):
    """The store could not be reached, or refused."""


@contextmanager
def opened(url: str) -> Iterator[BinaryIO]:
    """A stream of the object. Raises Gone, NotSent."""
    response = _patiently("GET", url)
    try:
        yield cast(BinaryIO, response)
    finally:
        response.release_conn()


def changed(url: str, etag: str) -> tuple[bytes, str] | None:
    """The content of a small object and its ETag; None while that is `etag`, or when nobody answers. Raises Gone."""
    try:
        response = _HTTP.request("GET", url, headers={"If-None-Match": etag} if etag else {})
    except urllib3.exceptions.HTTPError:
        return None
    if response.status == 404:
        raise Gone(url.partition("?")[0])
    return (response.data, response.headers.get("ETag", "")) if response.status == 200 else None


def send(url: str, path: Path) -> None:
    """Write a file under the link. Raises NotSent."""
    _patiently("PUT", url, path)


def _patiently(method: str, url: str, path: Path | None = None) -> urllib3.BaseHTTPResponse:
    said = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(2.0 ** (attempt - 1))
        try:
            response = _request(method, url, path)
        except urllib3.exceptions.HTTPError as error:
            said = type(error).__name__
            continue
        if response.status in (200, 204):
            return response
        # The link has a signature: it is not to be in any log.
        said = f"status {response.status}: {response.read()[:300].decode(errors='replace')}"
        if response.status == 404:
            raise Gone(f"{url.partition('?')[0]}: {said}")
        if response.status < 500 and response.status != 429:
            break
    raise NotSent(f"{method} {url.partition('?')[0]}: {said}")


def _request(method: str, url: str, path: Path | None) -> urllib3.BaseHTTPResponse:
    if path is None:
        return _HTTP.request(method, url, preload_content=False)
    with path.open("rb") as stream:
        headers = {"Content-Length": str(path.stat().st_size)}
        return _HTTP.request(method, url, body=stream, headers=headers)
