"""Files out of the store over HTTP: streamed, always as attachments, resumable by Range requests."""

import re
from collections.abc import Iterator

from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.request import Request

from marketplace import storage

CHUNK = 256 * 1024


def _chunks(uri: str, start: int, length: int) -> Iterator[bytes]:
    with storage.open_range(uri, start, length) as stream:
        left = length
        while left > 0 and (block := stream.read(min(CHUNK, left))):
            left -= len(block)
            yield block


def file_response(request: Request, *, uri: str, name: str) -> HttpResponse | StreamingHttpResponse:
    """A stored file as a download. A satisfiable single Range gets 206, an unsatisfiable one 416."""
    total = storage.size(uri)
    start, length, code = 0, total, 200
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.META.get("HTTP_RANGE", "").strip())
    if wanted and (wanted[1] or wanted[2]):
        first = int(wanted[1]) if wanted[1] else max(0, total - int(wanted[2]))
        last = min(int(wanted[2]), total - 1) if wanted[1] and wanted[2] else total - 1
        if first >= total or last < first:
            refused = HttpResponse(status=416)
            refused["Content-Range"] = f"bytes */{total}"
            return refused
        start, length, code = first, last - first + 1, 206
    response = StreamingHttpResponse(_chunks(uri, start, length), status=code, content_type="application/octet-stream")
    if code == 206:
        response["Content-Range"] = f"bytes {start}-{start + length - 1}/{total}"
    response["Content-Length"] = str(length)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    response["Content-Disposition"] = f'attachment; filename="{safe}"'
    return response
