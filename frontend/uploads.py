"""Files that people and programs send, for pages and REST alike: where they are stored and under which names.

Nothing outside an account's own folder can be named by an upload. Knows nothing of what the files are for.
"""

import re
import uuid
from typing import BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile

from marketplace import storage
from marketplace.errors import Invalid
from marketplace.models import Account
from marketplace.services import boundaries

FOLDER = r"^[0-9a-f]{32}$"
LONGEST_NAME = 120


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
    return sorted(found.uri for found in storage.list(storage.join(uploads_root(account), folder) + "/"))


def store_file(root: str, file: UploadedFile, *, prefix: str = "") -> str:
    """Stream one file into the folder `root` of the store; returns its URI."""
    uri = storage.join(root, prefix + safe_name(file.name or "file"))
    storage.write(uri, cast(BinaryIO, file.file), content_type="application/octet-stream")
    return uri


def safe_name(name: str) -> str:
    """A file name without a path and with harmless characters only; the rest of the name is kept readable."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return re.sub(r"[^A-Za-z0-9._-]", "_", last).lstrip(".")[:LONGEST_NAME] or "file"
