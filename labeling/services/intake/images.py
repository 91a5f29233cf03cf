"""Images to show: the stored file of an object, its bytes with a safe media type and ETag, small copies for lists.

The caller checks who may see an image.
"""

import hashlib
from dataclasses import dataclass

from django.conf import settings

from labeling.formats import images as formats
from labeling.models import DataObject
from labeling.services.intake import inspection
from marketplace import storage
from marketplace.errors import Invalid, NotFound
from marketplace.ranges import Range

SIDE = Range(32, 2048)
"""Pixels of the longer side of a small copy; any other number that is asked for is moved into it."""


@dataclass(frozen=True)
class Picture:
    """The bytes of an image; `etag` changes with them and is quoted as HTTP requires."""

    content: bytes
    content_type: str
    etag: str


def image_uri(data_object: DataObject) -> str:
    """The file to show and to train on: the upright copy of an image that has one, else the image itself."""
    return data_object.upright_uri or data_object.source_ref


def picture(*, uri: str, max_side: int | None = None) -> Picture:
    """The image, or a copy whose sides have at most `max_side` pixels. Raises NotFound, Forbidden, Invalid.

    Small copies are kept in the store under a name made of address, size in bytes and side.
    """
    if max_side is None:
        content = storage.read(uri, limit=inspection.limits().max_bytes)
        return Picture(content, content_type(content), _tag(content))
    side = int(SIDE.nearest(max_side))
    name = hashlib.sha256(f"{uri}\n{storage.size(uri)}\n{side}".encode()).hexdigest()
    kept = storage.join(settings.STORE_URL, "thumbnails", name[:2], f"{name}.jpg")
    try:
        content = storage.read(kept)
    except NotFound:
        content = _small(uri, side)
        storage.write(kept, content, content_type="image/jpeg")
    return Picture(content, "image/jpeg", _tag(content))


def content_type(content: bytes) -> str:
    """The media type of an image by its content, application/octet-stream for what browsers should not show."""
    name = formats.format_by_signature(content[: formats.SIGNATURE_BYTES])
    return formats.CONTENT_TYPES.get(name, "application/octet-stream")


def _small(uri: str, side: int) -> bytes:
    limits = inspection.limits()
    try:
        return formats.display_copy(storage.read(uri, limit=limits.max_bytes), side, limits=limits)
    except formats.ImageError as error:
        raise Invalid(f"{uri}: {error}") from None


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'
