"""Files that people and programs send, for pages and REST alike: where they are stored and under which keys.

Files get keys of our own, so nothing outside an account's own folder can be named by an upload and no name collides
with another; the relative name as given is kept beside. Knows nothing of what the files are for.
"""

import hashlib
import re
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple, cast

from django.core.files.uploadedfile import UploadedFile

from labeling.services.intake import source_names
from marketplace import storage
from marketplace.errors import Invalid
from marketplace.models import Account
from marketplace.services import boundaries, condition

FOLDER = r"^[0-9a-f]{32}$"
KEY_BYTES = 16


class StoredFile(NamedTuple):
    """A file that was stored: its name as given, its address, its size in bytes."""

    name: str
    uri: str
    size: int


def uploads_root(account: Account) -> str:
    """Where an account's uploads are stored."""
    return storage.join(boundaries.base_of(account), "uploads")


def folder_uri(account: Account, folder: str = "") -> tuple[str, str]:
    """(name, URI) of an upload's folder; a new one when `folder` is empty. Raises Invalid for another kind of name."""
    name = folder or uuid.uuid4().hex
    if not re.fullmatch(FOLDER, name):
        raise Invalid("32 hexadecimal digits expected, as an earlier upload answered", field="folder")
    return name, storage.join(uploads_root(account), name)


def files_in(account: Account, folder: str) -> list[str]:
    """URIs of the files that were uploaded into `folder` so far, in order; none for a name that is no folder's."""
    if not re.fullmatch(FOLDER, folder):
        return []
    found = (item.uri for item in storage.list(storage.join(uploads_root(account), folder) + "/"))
    return sorted(uri for uri in found if not source_names.is_names_file(uri))


def store_files(root: str, files: Sequence[UploadedFile]) -> list[StoredFile]:
    """Stream the files of one request into the folder `root` of the store, with their names.

    A key is made of the name, the content and how often this request had both before. So every file of a request is
    kept, while a request that is sent again, because its answer was lost, stores the same files again. Raises
    StoreFull, and keeps nothing of the request, when there is no room.
    """
    names = [source_names.storable(given_name(file)) for file in files]
    before: Counter[str] = Counter()
    keys = []
    for file, name in zip(files, names, strict=True):
        content = _digest(file)
        before[f"{content} {name}"] += 1
        whole = hashlib.blake2b(f"{content} {before[f'{content} {name}']} {name}".encode(), digest_size=KEY_BYTES)
        keys.append(whole.hexdigest() + source_names.ending(name))
    condition.require_room(root, sum(file.size or 0 for file in files))
    names_file, listed = source_names.names_file(root, dict(zip(keys, names, strict=True)))
    uris = [storage.join(root, key) for key in keys]
    fresh = [uri for uri in (names_file, *uris) if _local(root) and not storage.exists(uri)]
    try:
        # The names come first: a file without its name could never get it back.
        storage.write(names_file, listed, content_type="application/jsonl")
        for file, uri in zip(files, uris, strict=True):
            storage.write(uri, cast(BinaryIO, file.file), content_type="application/octet-stream")
    except storage.StoreFull:
        for uri in fresh:
            storage.delete(uri)
        raise
    return [StoredFile(name, uri, file.size or 0) for file, name, uri in zip(files, names, uris, strict=True)]


def _local(root: str) -> bool:
    """Whether the files lie on a disk of this machine, where looking for each costs nothing."""
    return storage.local_path(root) is not None


def given_name(file: UploadedFile) -> str:
    """The relative name with which a file was sent; Django's own `name` has lost its folders."""
    return getattr(file, "given_name", "") or file.name or "file"


def _digest(file: UploadedFile) -> str:
    digest = hashlib.blake2b(digest_size=KEY_BYTES)
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
