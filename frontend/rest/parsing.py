"""Request bodies: JSON up to a size that one request may hold in memory; files come as multipart, onto the disk."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from django.conf import settings
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework import exceptions, parsers, status
from rest_framework.request import Request

from marketplace import strict
from marketplace.errors import Invalid

FLAGS = {"true": True, "1": True, "false": False, "0": False}
"""What a query parameter that is on or off may be."""


def flag(request: Request, name: str) -> bool:
    """A query parameter that is on or off, off when it is left out. Raises Invalid for anything else."""
    given = request.query_params.get(name, "false")
    if given not in FLAGS:
        raise Invalid(f"{given[:40]!r} found, true or false expected", field=name)
    return FLAGS[given]


class TooLarge(exceptions.APIException):
    """The body has more bytes than the server accepts."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "content_too_large"


class JSONParser(parsers.JSONParser):
    """JSON of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes checked by marketplace.strict; DRF's own reads all of it."""

    def parse(
        self, stream: BinaryIO, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The document. Raises TooLarge before anything is read, ParseError for no JSON, Invalid for a bad value."""
        request = (parser_context or {})["request"]
        # A body without a length is empty to a WSGI server.
        length = strict.whole_number(request.META.get("CONTENT_LENGTH") or "0", allowed=strict.INT64) or 0
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if length > most:
            raise TooLarge(f"the body has {length:,} bytes, at most {most:,} are taken; files go to /api/v1/uploads")
        try:
            return strict.read_json(stream.read())
        except strict.NotJson as error:
            raise exceptions.ParseError(str(error)) from None


class FilesParser(parsers.MultiPartParser):
    """Multipart forms whose files keep the relative name they were sent with, as `given_name`; DRF's own cuts it."""

    def parse(
        self, stream: BinaryIO, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> parsers.DataAndFiles:
        """Fields and files. Raises ParseError for a body that is not such a form."""
        request = (parser_context or {})["request"]
        meta = request.META | {"CONTENT_TYPE": media_type}
        try:
            return parsers.DataAndFiles(*_NamedFiles(meta, stream, request.upload_handlers).parse())
        except MultiPartParserError as error:
            raise exceptions.ParseError(f"Multipart form parse error - {error}") from None


class _NamedFiles(MultiPartParser):
    """Django's parser, which tells the name it is given before it cuts it to what a file system may take."""

    _given = ""

    def sanitize_file_name(self, file_name: str) -> str:
        """See Django. A name that is nothing but folders is a name too: without one Django would drop the file."""
        if problem := strict.text_problem(file_name):
            raise MultiPartParserError(f"the name of a file {problem}")
        self._given = file_name
        return super().sanitize_file_name(file_name) or "file"

    def handle_file_complete(self, old_field_name: str, counters: list[int]) -> None:
        """See Django: it calls this for one file before it reads the name of the next."""
        before = len(self._files.getlist(old_field_name))
        super().handle_file_complete(old_field_name, counters)
        for file in self._files.getlist(old_field_name)[before:]:
            file.given_name = self._given
