"""The pages of worker templates: sealed addresses that expire, and the sandbox in which a browser shows them.

Such a page has no origin and no session, so whatever it loads comes by an address that says all by itself: what may be
read, and until when. Knows neither seats nor jobs.
"""

import base64
import binascii
import hashlib
import mimetypes
import re
import time
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language

from labeling.formats.template_html import bundle
from marketplace import storage
from marketplace.errors import NotFound

FRAME, FILE = b"frame", b"file"
GRACE_SECONDS = 3600
"""How long beyond the time limit of a task its page still works: answers are taken while nobody else has the task."""
MAX_FILE = 64 * 1024 * 1024
"""Bytes of a file that a page may load."""
SANDBOX = "allow-scripts allow-forms allow-popups"
EMPTY = {"script": "data:text/javascript,", "link": "data:text/css,"}

_SOURCE = re.compile(
    r"""(<(script|link)\b[^>]{0,2000}?\s(?:src|href)\s*=\s*)("[^"]{0,2000}"|'[^']{0,2000}'|[^\s>]{1,2000})""", re.I
)


def sealed(kind: bytes, said: dict[str, Any], *, seconds: int) -> str:
    """A token that only this installation can make and read, good for so many seconds."""
    text = orjson.dumps({**said, "until": int(time.time()) + seconds})
    return base64.urlsafe_b64encode(_cipher(settings.SECRET_KEY).encrypt(text, [kind])).decode().rstrip("=")


def opened(kind: bytes, token: str) -> dict[str, Any]:
    """What `sealed` was given. Raises NotFound for a token that it did not make, or that has expired."""
    try:
        encrypted = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        said: dict[str, Any] = orjson.loads(_cipher(settings.SECRET_KEY).decrypt(encrypted, [kind]))
    except (binascii.Error, InvalidTag, ValueError):
        raise NotFound("there is no such page") from None
    if said["until"] < time.time():
        raise NotFound("this page of a task has expired: reload the task")
    return said


@lru_cache(maxsize=4)
def _cipher(secret: str) -> AESSIV:
    return AESSIV(hashlib.sha256(f"waggle.template:{secret}".encode()).digest())


def frame_url(*, queue_id: int, seconds: int, object_id: int | None = None, loop_id: int | None = None) -> str:
    """The address of the page that shows an object, or a human loop, by the template of a queue."""
    said = {"queue": queue_id, "object": object_id} if loop_id is None else {"queue": queue_id, "loop": loop_id}
    return reverse("worker:template", args=[sealed(FRAME, said, seconds=seconds + GRACE_SECONDS)])


def file_url(request: HttpRequest, *, uri: str, seconds: int) -> str:
    """The whole address at which a page without an origin may read a file of the store."""
    return request.build_absolute_uri(
        reverse("worker:template-file", args=[sealed(FILE, {"uri": uri}, seconds=seconds)])
    )


def file_link(uri: str, seconds: int) -> str:
    """The whole address at which a program may read a file of the store for so long; see labeling/hooks.py."""
    path = reverse("worker:template-file", args=[sealed(FILE, {"uri": uri}, seconds=seconds)])
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"


def page_response(request: HttpRequest, html: str, *, script_hosts: list[str]) -> HttpResponse:
    """The page of a template in its sandbox; `script_hosts` may serve it scripts, styles, fonts, pictures and data."""
    script = request.build_absolute_uri(static("dist/crowd-html-elements.js"))
    response = HttpResponse(
        f'<!doctype html><html lang="{get_language()}"><meta charset="utf-8"><title>Task</title><script src="{script}">'
        "</script>" + without_bundle(html)
    )
    response["Content-Security-Policy"] = policy(request, script=script, script_hosts=script_hosts)
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    # The policy's frame-ancestors says who may show it; Django's header would forbid the portal itself.
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def without_bundle(html: str) -> str:
    """The page with nothing loaded from Ground Truth's addresses of the elements, which are there already.

    What else it loads from `//host` comes by https, as the policy wants it, also where the page itself does not.
    """

    def replaced(found: re.Match[str]) -> str:
        address = found[3].strip("\"'")
        if bundle(address):
            return f'{found[1]}"{EMPTY[found[2].lower()]}"'
        return f'{found[1]}"https:{address}"' if address.startswith("//") else found[0]

    return _SOURCE.sub(replaced, html)


def policy(request: HttpRequest, *, script: str, script_hosts: list[str]) -> str:
    """The content security policy of one template's page: its own scripts, the elements, its files, nothing else."""
    hosts = " ".join(f"https://{host}" for host in script_hosts)
    files = request.build_absolute_uri(reverse("worker:template-file", args=["x"])).removesuffix("x/")
    rules = {
        "default-src": "'none'",
        "script-src": f"'unsafe-inline' 'unsafe-eval' data: blob: {script} {files} {hosts}",
        "style-src": f"'unsafe-inline' data: {files} {hosts}",
        "font-src": f"data: {files} {hosts}",
        "img-src": f"data: blob: {files} {hosts}",
        "media-src": f"data: blob: {files} {hosts}",
        "connect-src": f"data: blob: {files} {hosts}",
        "worker-src": "blob:",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'self'",
        "sandbox": SANDBOX,
    }
    return "; ".join(f"{name} {value}".strip() for name, value in rules.items())


def file_response(uri: str) -> HttpResponse:
    """A file of the store for a page without an origin. Raises NotFound, Forbidden, Invalid, StoreUnavailable."""
    content = storage.read(uri, limit=MAX_FILE)
    kind = mimetypes.guess_type(urlsplit(uri).path)[0] or "application/octet-stream"
    response = HttpResponse(content, content_type=kind)
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    # Opened by itself it runs nothing and belongs to no origin.
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response
