"""Request bodies: JSON up to a size that one request may hold in memory; files come as multipart, onto the disk."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from django.conf import settings
from rest_framework import exceptions, parsers, status


class TooLarge(exceptions.APIException):
    """The body has more bytes than the server accepts."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "content_too_large"


class JSONParser(parsers.JSONParser):
    """JSON of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes; DRF's own reads whatever is sent."""

    def parse(
        self, stream: BinaryIO, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The document. Raises TooLarge before anything is read."""
        request = (parser_context or {})["request"]
        # A body without a length is empty to a WSGI server.
        length, most = int(request.META.get("CONTENT_LENGTH") or 0), settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if length > most:
            raise TooLarge(f"the body has {length:,} bytes, at most {most:,} are taken; files go to /api/v1/uploads")
        return super().parse(stream, media_type, parser_context)
