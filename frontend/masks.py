"""Masks on pages that show many pictures: layers get the addresses of small copies in place of the masks themselves.

An address is one of the object's image (frontend/images.py) and can be made by nobody else. How masks are scaled is the
business of labeling/formats/mask_previews.py.
"""

import base64
import binascii
import struct
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import orjson
from cryptography.exceptions import InvalidTag
from django.http import HttpRequest, HttpResponse

from frontend.images import cached, cipher, image_url
from labeling.formats import mask_previews
from labeling.models import DataObject
from labeling.services.intake import images
from labeling.services.results.mask_layers import MaskOf, masks_of
from marketplace.errors import NotFound

_SOURCE = struct.Struct(">bqhL")
"""Whose masks, key, revision, and a checksum of the legend: a browser keeps no copy that fits another one."""


def small(
    layer: Mapping[str, Any], whose: MaskOf, key: int, *, object_id: int, user_id: int, revision: int = 0
) -> dict[str, Any]:
    """The layer with the address of a small copy, for this user, in place of its masks; others as they are.

    `key` and `revision`: see mask_layers.masks_of.
    """
    found = layer.get("masks")
    if not found or not found["segments"]:
        return dict(layer)
    legend = mask_previews.legend(found["segments"])
    packed = _SOURCE.pack(whose, key, revision, crc32(orjson.dumps(legend)))
    token = base64.urlsafe_b64encode(cipher().encrypt(packed, [_bound(object_id, user_id)])).decode().rstrip("=")
    return {**layer, "masks": {"src": f"{image_url(object_id, user_id)}?mask={token}", "segments": legend}}


def mask_response(row: DataObject, token: str, request: HttpRequest) -> HttpResponse:
    """The small copy that a layer of the object was given the address of. Raises NotFound for any other address."""
    try:
        encrypted = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        packed = cipher().decrypt(encrypted, [_bound(row.pk, request.user.pk or 0)])
        whose, key, revision, _ = _SOURCE.unpack(packed)
    except (binascii.Error, InvalidTag, ValueError, struct.error):
        raise NotFound("there are no such masks") from None
    picture = images.mask_preview(masks_of(row, whose, key, revision))
    return cached(request, picture.content, picture.content_type, picture.etag)


def _bound(object_id: int, user_id: int) -> bytes:
    return b"mask:%d:%d" % (object_id, user_id)
