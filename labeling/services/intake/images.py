"""Images to show: the stored file of an object, its bytes with a safe media type and ETag, small copies for lists.

The caller checks who may see an image.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings

from labeling.formats import images as formats
from labeling.formats import mask_previews
from labeling.models import DataObject
from labeling.services.intake import decoding
from marketplace import storage
from marketplace.errors import Invalid, NotFound

SIDES = (160, 480, 720, 1600)
"""Pixels of the longer side of the small copies that there are. Any other number that is asked for is rounded up to
one of them, or down to the largest: what is kept of an image does not grow with what people ask for."""


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
    """The image, or a copy of the size of SIDES that serves `max_side`. Raises NotFound, Forbidden, Invalid, Busy.

    Small copies are kept in the store under a name made of address, size in bytes and side.
    """
    if max_side is None:
        content = storage.read(uri, limit=decoding.limits().max_bytes)
        return Picture(content, content_type(content), _tag(content))
    side = next((each for each in SIDES if each >= max_side), SIDES[-1])
    of = f"{uri}\n{storage.size(uri)}"
    content = _kept(of, side) or _make(uri, of, side)
    return Picture(content, "image/jpeg", _tag(content))


def mask_preview(given: Mapping[str, Any]) -> Picture:
    """A small copy of a layer's masks; see mask_previews. It is kept as copies of images are. Raises Invalid, Busy."""
    name = hashlib.sha256(orjson.dumps(dict(given)) + str(mask_previews.SIDE).encode()).hexdigest()
    kept = storage.join(settings.STORE_URL, "thumbnails", name[:2], f"{name}.png")
    try:
        content = storage.read(kept)
    except NotFound:
        try:
            png = mask_previews.raw(given)
            if png:
                with decoding.turn(png):
                    content = mask_previews.small(given)
            else:
                content = mask_previews.small(given)
        except (ValueError, formats.ImageError) as error:
            raise Invalid(f"the masks cannot be shown: {error}") from None
        storage.write(kept, content, content_type="image/png")
    return Picture(content, "image/png", _tag(content))


def _make(uri: str, of: str, side: int) -> bytes:
    data = storage.read(uri, limit=decoding.limits().max_bytes)
    with decoding.turn(data) as large:
        # While this one waited for its turn, another may have made it.
        if large and (content := _kept(of, side)):
            return content
        try:
            # Decoding a large image costs far more than one copy, so then all copies are made of it.
            copies = formats.display_copies(data, SIDES if large else (side,), limits=decoding.limits())
        except formats.ImageError as error:
            raise Invalid(f"{uri}: {error}") from None
    for each, content in copies.items():
        storage.write(_address(of, each), content, content_type="image/jpeg")
    return copies[side]


def _kept(of: str, side: int) -> bytes | None:
    try:
        return storage.read(_address(of, side))
    except NotFound:
        return None


def _address(of: str, side: int) -> str:
    name = hashlib.sha256(f"{of}\n{side}".encode()).hexdigest()
    return storage.join(settings.STORE_URL, "thumbnails", name[:2], f"{name}.jpg")


def content_type(content: bytes) -> str:
    """The media type of an image by its content, application/octet-stream for what browsers should not show."""
    name = formats.format_by_signature(content[: formats.SIGNATURE_BYTES])
    return formats.CONTENT_TYPES.get(name, "application/octet-stream")


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'
