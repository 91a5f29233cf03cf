"""Images and texts over HTTP, for pages and REST alike: signed addresses, and answers out of the store.

Knows not who may see an object.
"""

import base64
import binascii
import hashlib
import struct
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from labeling.formats import texts as formats
from labeling.models import DataObject, QualificationQuestion
from labeling.services.intake import images, texts
from labeling.task_types.base import IMAGE, TEXT
from marketplace import strict
from marketplace.errors import NotFound

SALT = "waggle.image"

_IDS = struct.Struct(">qq")


def image_url(data_object_id: int, user_id: int) -> str:
    """The address of an object's image for one user: stable (so browsers can cache it), useless to others.

    The ids in it are encrypted: a worker who reads them would see which objects come out of turn, as golds do.
    """
    token = cipher().encrypt(_IDS.pack(data_object_id, user_id), None)
    return "/api/v1/images/" + base64.urlsafe_b64encode(token).decode().rstrip("=")


def read_token(token: str) -> tuple[int, int]:
    """(object id, user id) out of the last part of `image_url`. Raises NotFound for a token that was not made by it."""
    try:
        encrypted = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        object_id, user_id = _IDS.unpack(cipher().decrypt(encrypted, None))
    except (binascii.Error, InvalidTag, ValueError, struct.error):
        raise NotFound("there is no such image") from None
    return object_id, user_id


def cipher() -> AESSIV:
    """What encrypts the ids in addresses."""
    return _cipher(settings.SECRET_KEY)


@lru_cache(maxsize=4)
def _cipher(secret: str) -> AESSIV:
    """Of AES-SIV equal ids give equal addresses, and nobody can make one (RFC 5297)."""
    return AESSIV(hashlib.sha256(f"{SALT}:{secret}".encode()).digest())


def task_addresses(medium: str, address: str) -> dict[str, str | None]:
    """The members of a task's document that say where its picture, or its text, is."""
    is_text = medium == TEXT
    return {"image_url": None if is_text else address, "text_url": address if is_text else None}


def object_response(row: DataObject, request: HttpRequest) -> HttpResponse:
    """The picture of an object read with its job, or its text as plain text."""
    if texts.is_text(row):
        return text_response(texts.text_of(row), request)
    return image_response(images.image_uri(row), request)


def question_addresses(question: QualificationQuestion) -> dict[str, str | None]:
    """Where the picture, or the text, of a test's question is; `task_addresses` for a question."""
    return task_addresses(TEXT if question.text else IMAGE, f"/api/v1/qualification-questions/{question.pk}/image")


def question_response(question: QualificationQuestion, request: HttpRequest) -> HttpResponse:
    """The picture of a test's question, or its text as plain text."""
    return text_response(question.text, request) if question.text else image_response(question.image_uri, request)


def text_response(text: str, request: HttpRequest) -> HttpResponse:
    """A text that no browser takes for a page."""
    content = text.encode()
    return cached(request, content, formats.CONTENT_TYPE, texts.tag(content))


def image_response(uri: str, request: HttpRequest) -> HttpResponse:
    """The image at `uri` through the web: no bucket has to be public and no CORS rule is needed."""
    picture = images.picture(uri=uri, max_side=_side(request))
    return cached(request, picture.content, picture.content_type, picture.etag)


def cached(request: HttpRequest, content: bytes, content_type: str, etag: str) -> HttpResponse:
    """These bytes, which the browser may keep for an hour; it is told when it has them already."""
    if request.META.get("HTTP_IF_NONE_MATCH") == etag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(content, content_type=content_type)
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _side(request: HttpRequest) -> int | None:
    """What `?side=` asks for; None where it is no number."""
    return strict.whole_number(request.GET.get("side", ""), allowed=strict.COUNTS)
