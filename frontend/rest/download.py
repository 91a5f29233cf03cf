"""Files out of the store over HTTP: streamed, always as attachments, resumable by Range and If-Range requests."""

import hashlib
import re
from collections.abc import Iterator

from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.request import Request

from frontend.rest import errors
from marketplace import storage

CHUNK = 256 * 1024


def _chunks(uri: str, start: int, length: int) -> Iterator[bytes]:
    with storage.open(uri, offset=start, length=length) as stream:
        left = length
        while left > 0 and (block := stream.read(min(CHUNK, left))):
            left -= len(block)
            yield block


def _wanted(request: Request, total: int, tag: str) -> tuple[int, int] | None:
    """First and last byte of the single Range the request asks for; None for the whole file.

    A Range is only good for the file it was begun with: with an If-Range that names another, all of it is sent (RFC
    9110, 13.1.5). A last byte before the first means: nothing of the file.
    """
    # A header with more digits than a file can have bytes is ignored, as any that is malformed.
    asked = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", request.META.get("HTTP_RANGE", "").strip())
    if not asked or not (asked[1] or asked[2]) or request.META.get("HTTP_IF_RANGE", tag).strip() != tag:
        return None
    if not asked[1]:
        return max(0, total - int(asked[2])), (total if int(asked[2]) else 0) - 1
    first, last = int(asked[1]), min(int(asked[2]), total - 1) if asked[2] else total - 1
    if asked[2] and int(asked[2]) < first:
        return None
    return first, last


def file_response(request: Request, *, uri: str, name: str) -> HttpResponse | StreamingHttpResponse:
    """A stored file as a download. A satisfiable single Range gets 206, an unsatisfiable one 416.

    `uri` must be written once and then stay as it is: the entity tag is made of the address and the size.
    """
    total = storage.size(uri)
    tag = f'"{hashlib.sha256(f"{uri} {total}".encode()).hexdigest()[:32]}"'
    part = _wanted(request, total, tag)
    first, last = part or (0, total - 1)
    if part and last < first:
        refused = errors.plain("range-not-satisfiable", f"the file has {total:,} bytes")
        refused["Content-Range"] = f"bytes */{total}"
        return refused
    length = last - first + 1
    response = StreamingHttpResponse(
        _chunks(uri, first, length) if length else iter(()),
        status=206 if part else 200,
        content_type="application/octet-stream",
    )
    if part:
        response["Content-Range"] = f"bytes {first}-{last}/{total}"
    response["Content-Length"] = str(length)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-store"
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    response["Content-Disposition"] = f'attachment; filename="{safe}"'
    return response
