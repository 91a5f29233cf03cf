"""Which storage URIs an account may use: the installation's own keys can read more than any one account may.

Under STORE_URL an account has its own folders, `<number>/...` and `<kind>/<number>/...`. Elsewhere it may read file://
URIs in the folders of STORE_FILE_ROOTS, and s3:// URIs in the buckets that the operator granted to it
(S3_INPUT_BUCKETS). The local S3 server (LOCAL_S3) serves the folder of STORE_URL, so its addresses are judged as those
of the files: a bucket is a folder of the store, and one whose name ends in an account's number is that account's. A URI
stands for everything whose address begins with it, because folders and prefixes are listed: a URI above the store is
refused.
"""

import os
import re
from dataclasses import dataclass

from django.conf import settings

from marketplace import arns, local_s3, storage
from marketplace.errors import DomainError, Forbidden
from marketplace.models import Account
from marketplace.ranges import Range
from marketplace.storage_files import FileStore

REMEMBERED_FOLDERS = 1000
URI_LENGTH = Range(1, 1024)
"""Characters of a URI: what the database columns hold."""


def base_of(account: Account) -> str:
    """The account's own folder in the store."""
    return storage.join(settings.STORE_URL, "accounts", account.number)


def require_readable(*, account: Account, uri: str) -> None:
    """Raises Invalid or Forbidden, with the reason, when the account may not use `uri`."""
    Reader(account).check(uri)


def require_writable(*, account: Account, uri: str) -> None:
    """Raises Invalid or Forbidden, with the reason, when the account may not have something written below `uri`.

    What is opened to every account, folders of STORE_FILE_ROOTS and buckets alike, is for reading only: there accounts
    would overwrite each other's files. Output goes into the account's part of the store or into a bucket of its own.
    """
    storage.store_for(uri)
    place, store = _place(uri), _place(settings.STORE_URL)
    if place.lies_under(store):
        bucket = (*place.segments_below(store), "")[0]
        if settings.LOCAL_S3 and bucket in settings.S3_INPUT_BUCKETS:
            raise _not_granted(uri, account.number)
    elif place.bucket is None:
        raise Forbidden(f"{uri}: output goes to s3:// or into the installation's own store")
    elif f"{place.bucket}={account.number}" not in settings.S3_INPUT_BUCKETS:
        raise _not_granted(uri, account.number)
    require_readable(account=account, uri=uri)


@dataclass(frozen=True)
class _Place:
    """Where a URI points: a bucket, None for this machine's files, and the key or the path there."""

    bucket: str | None
    path: str

    def lies_under(self, folder: "_Place") -> bool:
        """Whether this is the folder or something in it."""
        return self.bucket == folder.bucket and f"{self.path}/".startswith(folder.with_slash)

    def lies_above(self, folder: "_Place") -> bool:
        """Whether addresses in the folder begin with this one."""
        return self.bucket == folder.bucket and folder.with_slash.startswith(self.path)

    @property
    def with_slash(self) -> str:
        """The beginning of every address in this folder; "" for a whole bucket."""
        return self.path.rstrip("/") + "/" if self.path else ""

    def segments_below(self, folder: "_Place") -> list[str]:
        """The names that lead from the folder to this place."""
        return [name for name in self.path[len(folder.with_slash) :].split("/") if name]


def _place(uri: str) -> _Place:
    """Raises Invalid for a URI that is not well formed."""
    if uri.startswith("s3://"):
        bucket, key = storage.locate(uri, key_needed=False)
        if settings.LOCAL_S3:
            return _Place(None, os.path.realpath(FileStore.key_path(settings.STORE_URL) / bucket / key.lstrip("/")))
        # Some servers read //a as a: what one of them would find in a folder lies there, so that nobody gets around it.
        return _Place(bucket, re.sub("/+", "/", key).removeprefix("/"))
    # Links are followed, since a link in a folder that is open to accounts may lead into the store.
    return _Place(None, os.path.realpath(FileStore.key_path(uri)))


class Reader:
    """Checks many URIs of one account; remembers the folders it allowed, so that most checks are one look-up."""

    def __init__(self, account: Account):
        self._number = account.number
        self._store = _place(settings.STORE_URL)
        self._roots = [_Place(None, os.path.realpath(root)) for root in settings.STORE_FILE_ROOTS]
        self._folders: set[str] = set()

    def refusal(self, uri: str) -> str:
        """Why the account may not read `uri`, "" when it may."""
        try:
            self.check(uri)
        except DomainError as error:
            return error.message
        return ""

    def check(self, uri: str) -> None:
        """Raises Invalid or Forbidden, with the reason, when the account may not use `uri`."""
        if uri.startswith(("http://", "https://")):
            return
        folder, _, name = uri.rpartition("/")
        plain = name not in ("", ".", "..") and "%" not in name and name.isprintable()
        if plain and folder in self._folders:
            return
        self._check(uri)
        if plain and folder.count("/") > 2 and len(self._folders) < REMEMBERED_FOLDERS and self._is_open(folder):
            self._folders.add(folder)

    def _is_open(self, folder: str) -> bool:
        """Whether the account may use all of the folder: what is allowed in it may lie beside what is not."""
        try:
            self._check(folder)
        except DomainError:
            return False
        return True

    def _check(self, uri: str) -> None:
        storage.store_for(uri)
        place = _place(uri)
        if place.lies_under(self._store):
            self._check_in_store(uri, place)
        elif place.lies_above(self._store):
            raise Forbidden(f"{uri}: the installation's own store lies there; name a folder beside it")
        elif place.bucket is None:
            if not any(place.lies_under(root) for root in self._roots):
                raise Forbidden(f"{uri}: lies outside the folders the operator opened (WAGGLE_STORE_FILE_ROOTS)")
        elif not {place.bucket, f"{place.bucket}={self._number}"} & settings.S3_INPUT_BUCKETS:
            raise _not_granted(uri, self._number)

    def _check_in_store(self, uri: str, place: _Place) -> None:
        first, second = (*place.segments_below(self._store), "", "")[:2]
        local = settings.LOCAL_S3 and uri.startswith("s3://")
        if local and self._has_bucket(first):
            return
        # A first folder that is an account number belongs to that account, whatever lies below it.
        owner = first if _is_number(first) else second
        if self._number != owner:
            if local and not _is_number(owner):
                raise _not_granted(uri, self._number)
            raise Forbidden(f"{uri}: belongs to another account")

    def _has_bucket(self, bucket: str) -> bool:
        """Whether the account may read a bucket of the local S3 server."""
        granted = {bucket, f"{bucket}={self._number}"} & settings.S3_INPUT_BUCKETS
        return bool(granted) or local_s3.own_bucket(bucket, self._number)


def _not_granted(uri: str, number: str) -> Forbidden:
    ours = f" and its name does not end in -{number}" if settings.LOCAL_S3 else ""
    return Forbidden(
        f"{uri}: the operator has not granted this bucket to the account {number} (WAGGLE_S3_INPUT_BUCKETS){ours}"
    )


def _is_number(segment: str) -> bool:
    return re.fullmatch(arns.ACCOUNT_NUMBER, segment) is not None
