"""What a file is by its first bytes, so that a message can say so when it is not what was expected.

Knows nothing of reading any of them.
"""

START_BYTES = 512
"""How many of a file's first bytes are looked at; a few say less."""

_ARCHIVES = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
)
_TAR = 257
"""Where a tar archive says that it is one."""

_IMAGES = (
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"8BPS", "Photoshop"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x01\x00", "icon"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"<svg", "SVG"),
)
_BRANDS = {
    b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"heim": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC",
    b"avif": "AVIF", b"avis": "AVIF", b"crx ": "camera raw",
}  # fmt: skip
"""Of files in ISO's media format; every other brand is a video."""

_OTHERS = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
)


def archive_kind(start: bytes) -> str:
    """The kind of archive or compressed file, "" for another file."""
    if start[_TAR : _TAR + 5] == b"ustar":
        return "tar"
    return next((kind for magic, kind in _ARCHIVES if start.startswith(magic)), "")


def image_kind(start: bytes) -> str:
    """The kind of an image that is none of those we show, "" for another file."""
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12], "")
    return next((kind for magic, kind in _IMAGES if start.startswith(magic)), "")


def described(start: bytes) -> str:
    """What the file is, with its article, as in "a PDF document"; "" when that is not known."""
    if kind := archive_kind(start):
        return f"{_article(kind)} archive"
    if kind := image_kind(start):
        return f"{_article(kind)} image"
    if start[4:8] == b"ftyp":
        return "a video"
    begins = start.lstrip().lower()
    return next((what for magic, what in _OTHERS if start.startswith(magic) or begins.startswith(magic)), "")


def _article(kind: str) -> str:
    return f"{'an' if kind.startswith(('AVIF', 'SVG', 'icon', 'xz')) else 'a'} {kind}"
