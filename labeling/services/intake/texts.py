"""Texts of data objects: inline in their manifest line, or in a file that the line refers to.

The caller checks who may see a text.
"""

import hashlib

import orjson

from labeling import task_types
from labeling.formats import images, manifest, texts
from labeling.models import DataObject, ObjectLine
from labeling.task_types.base import TEXT
from marketplace import fetch, storage
from marketplace.errors import DomainError, Invalid, NotFound


def is_text(row: DataObject) -> bool:
    """Whether the object of this row, read with its job, is labeled as a text."""
    return bool(task_types.get(row.job.task_type).medium == TEXT)


def of_line(line: str | bytes) -> str | None:
    """The inline text of a manifest line, None where it refers to a file."""
    text = orjson.loads(line).get(manifest.SOURCE)
    return text if isinstance(text, str) else None


def inline_texts(object_ids: list[int]) -> dict[int, str]:
    """The inline texts of these objects by their ids, without those in files; one query."""
    lines = ObjectLine.objects.filter(data_object__in=object_ids, data_object__source_ref="")
    read = {pk: of_line(line) for pk, line in lines.values_list("data_object_id", "text")}
    return {pk: text for pk, text in read.items() if text is not None}


def text_of(row: DataObject) -> str:
    """The text of an object. Raises NotFound, Forbidden, Invalid, StoreUnavailable."""
    if not (uri := row.upright_uri or row.source_ref):
        text = inline_texts([row.pk]).get(row.pk)
        if text is None:
            raise NotFound("there is no such text")
        return text
    return stored(uri)


def stored(uri: str) -> str:
    """The text in a file of the store. Raises NotFound, Forbidden, Invalid, StoreUnavailable."""
    try:
        return texts.read(storage.read(uri, limit=texts.MAX_BYTES))
    except texts.TextError as error:
        raise Invalid(f"{uri}: {error}") from None


def examine(source_ref: str, inline: str | None, *, copy: str) -> tuple[images.ImageInfo, str]:
    """Read and measure one text: `width` is its length in code points, `height` is 1.

    The second value is the address of its copy in the store, "" where none is needed; `copy` is that address without
    its suffix. May be called from threads. Raises StoreUnavailable.
    """
    remote = source_ref.startswith(("http://", "https://"))
    try:
        if inline is not None:
            text = texts.check(inline)
        elif not source_ref:
            return images.ImageInfo(problem="has no text"), ""
        else:
            data = _fetch(source_ref) if remote else storage.read(source_ref, limit=texts.MAX_BYTES)
            text = texts.read(data)
    except storage.StoreUnavailable:
        raise
    except DomainError as error:
        return images.ImageInfo(problem=error.message), ""
    except texts.TextError as error:
        return images.ImageInfo(problem=f"{source_ref or 'the text'} {error}"), ""
    info = images.ImageInfo(width=len(text), height=1, depth=1)
    if not remote:
        return info, ""
    uri = f"{copy}{texts.SUFFIX}"
    storage.write(uri, text.encode(), content_type=texts.CONTENT_TYPE)
    return info, uri


def tag(content: bytes) -> str:
    """An ETag that changes with the text, quoted as HTTP requires."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _fetch(url: str) -> bytes:
    response = fetch.fetch(url, max_bytes=texts.MAX_BYTES, seconds=60)
    if response.status != 200:
        raise fetch.FetchFailed(f"{url}: the server answered {response.status}")
    return response.body
