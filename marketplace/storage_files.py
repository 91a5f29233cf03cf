"""The file:// half of the store: a folder tree behind the same interface. Knows no settings and no S3."""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast
from urllib.parse import quote, unquote, urlsplit

from marketplace.errors import Forbidden, Invalid, NotFound, StoreFull, StoreUnavailable, means_full


class StoredObject(NamedTuple):
    """One object of a listing."""

    uri: str
    size: int


class StoredVersion(NamedTuple):
    """One object as it is now: `version` is the store's own, or what changes with its content."""

    uri: str
    size: int
    version: str


class Versions(NamedTuple):
    """A part of a listing, and the address after which it goes on; "" at its end."""

    objects: list[StoredVersion]
    after: str


def safe_key(uri: str, key: str) -> str:
    """`key` itself. Raises Invalid when it is empty or absolute, or contains '..' or a control character."""
    if not key or key.startswith("/"):
        raise Invalid(f"{uri}: the key is {'absolute' if key else 'missing'}")
    if any(part in ("..", ".") for part in key.split("/")):
        raise Invalid(f"{uri}: a key may not contain '.' or '..' as a segment")
    if any(ord(character) < 32 or ord(character) == 127 for character in key):
        raise Invalid(f"{uri!r}: a key may not contain control characters")
    return key


def private_folder(folder: Path) -> None:
    """Make a folder, and those it lies in, that no other user may enter, whatever the umask. Safe to repeat."""
    if folder.is_dir():
        return
    private_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)


def open_to_others(folder: Path) -> Iterator[Path]:
    """Every file and folder below, and the folder itself, that other users of the machine may read or enter.

    What a folder holds comes before the folder: one that is closed holds no open file, as `close_to_others` does it.
    """
    closed = not folder.stat().st_mode & 0o077
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from open_to_others(Path(entry.path))
            elif not closed and entry.is_file(follow_symlinks=False) and entry.stat().st_mode & 0o077:
                yield Path(entry.path)
    if not closed:
        yield folder


def close_to_others(folder: Path) -> int:
    """Keep other users of the machine from everything below a folder; returns how much was open to them."""
    count = 0
    for path in open_to_others(folder):
        path.chmod(path.stat().st_mode & 0o700)
        count += 1
    return count


class FileStore:
    """Files under a few allowed folders, given as file:// URIs."""

    def __init__(self, *, roots: tuple[str, ...]):
        self._roots = [Path(os.path.realpath(self.key_path(root))) for root in roots if root.startswith("file://")]

    @staticmethod
    def key_path(uri: str) -> Path:
        """The path that a URI names, without following links. Raises Invalid for another host, '..', or no path."""
        try:
            parts = urlsplit(uri.replace("?", "%3F").replace("#", "%23"))
        except ValueError as error:
            raise Invalid(f"{uri}: {error}; file:///path on this machine expected") from None
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            raise Invalid(f"{uri}: file:///path on this machine expected")
        path = unquote(parts.path, errors="surrogateescape")
        safe_key(uri, path.lstrip("/"))
        return Path("/" + path.lstrip("/"))

    def path(self, uri: str) -> Path:
        """The real path of `uri`, links followed. Raises Forbidden outside the allowed folders."""
        path = Path(os.path.realpath(self.key_path(uri)))
        if not any(path.is_relative_to(root) for root in self._roots):
            raise Forbidden(f"{uri}: lies outside the folders this installation may read (WAGGLE_STORE_FILE_ROOTS)")
        return path

    @contextmanager
    def open(self, uri: str, *, offset: int = 0, length: int | None = None) -> Iterator[BinaryIO]:
        """A stream of the file, or of a range of it."""
        with _explained(uri):
            # O_NOFOLLOW: path() has followed all links, so one found now was put there after the check.
            descriptor = os.open(self.path(uri), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise NotFound(f"{uri}: is not a file")
        with os.fdopen(descriptor, "rb") as stream:
            stream.seek(offset)
            yield cast(BinaryIO, stream if length is None else _Range(stream, length))

    def write(self, uri: str, data: bytes | BinaryIO, *, content_type: str = "") -> None:
        """Write a temporary file in the same folder, then rename it."""
        target = self.path(uri)
        temporary = target.with_name(f".{secrets.token_hex(8)}.part")
        with _explained(uri):
            private_folder(target.parent)
            try:
                with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                    if isinstance(data, bytes):
                        stream.write(data)
                    else:
                        shutil.copyfileobj(data, stream, 1024 * 1024)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)

    def list(self, prefix_uri: str) -> Iterator[StoredObject]:
        """Every file under a folder, or whose path starts with the prefix; links that lead outside are left out."""
        prefix = self.key_path(prefix_uri)
        real = Path(os.path.realpath(prefix))
        with _explained(prefix_uri):
            folder = real if real.is_dir() else real.parent
            self.path(folder.as_uri())
            if not folder.is_dir():
                raise NotFound(f"{prefix_uri}: there is no such folder")
            start = "" if folder == real else real.name
            yield from self._walk(folder, start)

    def _walk(self, folder: Path, start: str) -> Iterator[StoredObject]:
        with os.scandir(folder) as entries:
            found = sorted(
                (entry for entry in entries if entry.name.startswith(start) and not entry.name.endswith(".part")),
                key=lambda entry: entry.name + ("/" if entry.is_dir() else ""),
            )
        for entry in found:
            # Links to folders are not followed: they can form a loop.
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(folder / entry.name, "")
            elif entry.is_file() and (not entry.is_symlink() or self._allowed(Path(entry.path))):
                yield StoredObject("file://" + quote(os.fsencode(entry.path)), entry.stat().st_size)

    def _allowed(self, path: Path) -> bool:
        real = Path(os.path.realpath(path))
        return any(real.is_relative_to(root) for root in self._roots)

    def size(self, uri: str) -> int:
        """Bytes of the file."""
        path = self.path(uri)
        with _explained(uri):
            status = path.stat()
        if not path.is_file():
            raise NotFound(f"{uri}: there is no such file, only a folder")
        return status.st_size

    def version(self, uri: str) -> StoredVersion:
        """The file with its time of change and its size as the version."""
        path, size = self.path(uri), self.size(uri)
        with _explained(uri):
            return StoredVersion(uri, size, f"{path.stat().st_mtime_ns}-{size}")

    def versions(self, prefix_uri: str, *, after: str, most: int) -> Versions:
        """The next files under a folder, in the order of `list`. One that goes away meanwhile is left out."""
        rest = (found for found in self.list(prefix_uri) if unquote(found.uri) > unquote(after))
        listed = list(islice(rest, most))
        objects = []
        for found in listed:
            with suppress(NotFound):
                objects.append(self.version(found.uri))
        return Versions(objects, listed[-1].uri if len(listed) == most else "")

    def delete(self, uri: str) -> None:
        """Remove the file; nothing happens if there is none."""
        path = self.path(uri)
        with _explained(uri):
            path.unlink(missing_ok=True)

    def presign(self, uri: str, seconds: int) -> str | None:
        """None: the web application serves files itself."""
        self.path(uri)
        return None


class _Range:
    """The next so many bytes of a stream."""

    def __init__(self, stream: BinaryIO, length: int):
        self._stream, self._left = stream, length

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(self._left if size is None or size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Turn the operating system's errors into ours, with the URI and the reason."""
    try:
        yield
    except FileNotFoundError:
        raise NotFound(f"{uri}: there is no such file") from None
    except (IsADirectoryError, NotADirectoryError) as error:
        raise NotFound(f"{uri}: {error.strerror}") from None
    except PermissionError:
        raise Forbidden(f"{uri}: the operating system denies access") from None
    except OSError as error:
        if means_full(error):
            raise StoreFull(f"{uri}: {error.strerror}; the operator has to make room in the store") from None
        kind = StoreUnavailable if error.errno in (errno.EIO, errno.EROFS) else Invalid
        raise kind(f"{uri}: {error.strerror}") from None
