"""What a file or a line is that is no line of a manifest, and what to do about it. Judged by how it begins."""

from __future__ import annotations

from collections.abc import Iterable

from labeling.formats import file_kinds

_EXAMPLE = '{"source-ref": "s3://bucket/1.jpg"}'
BY_LINE = (
    "a manifest has one whole JSON object on each line "
    "(`jq -c . in.json > in.manifest` writes it so, for a list `jq -c '.[]'`)"
)
"""What a manifest is, and how a file of JSON becomes one."""

_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


def of_the_file(first: bytes) -> str:
    """What the whole file is and what to do about it, judged by its first line; "" when it may be a manifest."""
    if kind := file_kinds.archive_kind(first):
        return f"the file is compressed ({kind}): unpack it first, a manifest is plain text"
    if first.startswith(_UTF16_BOMS) or first[1::2][:20].count(0) > 9:
        return "the file is not UTF-8 text (it looks like UTF-16): save it as UTF-8"
    if b"".join(first.split()) in (b"{", b"[", b"[{"):
        return f"the JSON goes on over several lines: {BY_LINE}"
    begin = first.lstrip()
    if begin.startswith(b"[") and not begin.rstrip().endswith(b"]"):
        return f"the file is one JSON list: {BY_LINE}"
    if begin.startswith(b"{") and b'"annotations"' in begin and b'"images"' in begin and b'"source' not in begin:
        return "the file is a COCO document of labels, not a manifest"
    what = file_kinds.described(first)
    return f"the file is {what}, not a manifest" if what else ""


def of_the_line(raw: bytes) -> str:
    """What to do about a line that is not valid JSON, with a leading colon; "" when nothing is known."""
    line = raw.strip()
    if line.endswith(b","):
        return ": a manifest has no commas between its lines"
    if line.startswith(b"{'"):
        return ": JSON has double quotes (Python writes them by json.dumps)"
    if b"NaN" in line or b"Infinity" in line:
        return ": JSON has neither NaN nor Infinity, write null instead"
    if b"\r{" in line:
        return ": its lines end in CR alone, save them with LF or CRLF"
    if b"}{" in b"".join(line.split()):
        return f": {BY_LINE}"
    return "" if line.startswith((b"{", b"[")) else f": {BY_LINE}, such as {_EXAMPLE}"


def of_the_names(names: Iterable[str]) -> str:
    """The attribute that is probably meant as the source of a line that has none, in brackets; else ""."""
    meant = next(
        (name for name in names if "".join(filter(str.isalnum, name)).lower() in ("sourceref", "source")), None
    )
    return "" if meant is None else f" (found {meant!r})"
