"""Which storage URIs an account may use: the installation's own keys can read more than any one account may.

Under STORE_URL an account has its own folders, `<number>/...` and `<kind>/<number>/...`. Elsewhere it may use file://
URIs in the folders of STORE_FILE_ROOTS, and s3:// URIs in the buckets of S3_INPUT_BUCKETS (any if none is listed).
"""

from django.conf import settings

from marketplace import storage
from marketplace.errors import DomainError, Forbidden
from marketplace.models import Account
from marketplace.ranges import Range

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

    The folders of STORE_FILE_ROOTS are for reading only; in buckets the installation's keys decide.
    """
    if uri.startswith("s3://"):
        storage.locate(uri, key_needed=False)
    else:
        storage.store_for(uri)
        if not storage.inside(uri, settings.STORE_URL):
            raise Forbidden(f"{uri}: output goes to s3:// or into the installation's own store")
    require_readable(account=account, uri=uri)


class Reader:
    """Checks many URIs of one account; remembers the folders it allowed, so that most checks are one look-up."""

    def __init__(self, account: Account):
        self._number = account.number
        self._roots = [root.resolve().as_uri() for root in settings.STORE_FILE_ROOTS]
        self._roots += [root.absolute().as_uri() for root in settings.STORE_FILE_ROOTS]
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
        if plain and folder.count("/") > 2 and len(self._folders) < REMEMBERED_FOLDERS:
            self._folders.add(folder)

    def _check(self, uri: str) -> None:
        storage.store_for(uri)
        if storage.inside(uri, settings.STORE_URL):
            first, second = storage.segments_below(uri, settings.STORE_URL, 2)
            # A first folder that is an account number belongs to that account, whatever lies below it.
            if self._number not in ((first,) if _is_number(first) else (second,)):
                raise Forbidden(f"{uri}: belongs to another account")
        elif uri.startswith("file://"):
            if not any(storage.inside(uri, root) for root in self._roots):
                raise Forbidden(f"{uri}: lies outside the folders the operator opened (WAGGLE_STORE_FILE_ROOTS)")
        elif (
            settings.S3_INPUT_BUCKETS and storage.locate(uri, key_needed=False).bucket not in settings.S3_INPUT_BUCKETS
        ):
            raise Forbidden(f"{uri}: the operator has not opened this bucket (WAGGLE_S3_INPUT_BUCKETS)")


def _is_number(segment: str) -> bool:
    return len(segment) == 12 and segment.isdigit()
