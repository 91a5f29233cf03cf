"""CoNLL's columns with IOB2 tags, out and in: a token a line, its tag in the last column, a blank line between texts.

`# text = …` before the tokens, as CoNLL-U has it but in JSON, is the text itself, so that offsets come back exactly. It
must not know jobs or storage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import orjson

from labeling.formats.augmented_reading import BLANKS
from labeling.formats.interchange.items import BadItem, FoundImage, FoundPart, LabeledText, found_text
from labeling.formats.shapes import Span

_TOKEN = re.compile(r"\w+|[^\w\s]")
_COMMENT = re.compile(r"# (text|name|address) = (.*)", re.DOTALL)
_DOCUMENT = "-DOCSTART-"
_TAG = re.compile(r"O|[BIESLU]-.+")
ENDINGS = (".conll", ".bio", ".iob", ".iob2")
MAX_LINE = 1_000_000
MOST_TOKENS = 100_000
"""Of a text; it has no more characters."""


def write_conll(objects: Iterable[LabeledText], out: BinaryIO) -> int:
    """Write every text and return their number; spans must be those that `kept` keeps."""
    count = 0
    for one in objects:
        lines = [f"# {name} = {_json(value)}" for name, value in (("name", one.name), ("address", one.source)) if value]
        lines.append(f"# text = {_json(one.text)}")
        lines += [f"{one.text[start:end]}\t{tag}" for start, end, tag in _tokens(one)]
        out.write("\n".join([*lines, "", ""]).encode())
        count += 1
    return count


def kept(one: LabeledText) -> tuple[tuple[Span, ...], list[str]]:
    """(the spans that IOB2 can say, in the order of the text; why the others are left out).

    No two of them share a character, and a span neither begins nor ends with a blank.
    """
    found: list[Span] = []
    reasons = []
    for span in sorted(one.spans, key=lambda span: (span.start, -span.end)):
        said = f"{span.label!r} at {span.start} to {span.end}"
        inside = one.text[span.start : span.end]
        start = span.start + len(inside) - len(inside.lstrip())
        end = span.end - (len(inside) - len(inside.rstrip()))
        if start >= end:
            reasons.append(f"{said} holds nothing but blanks: it is left out")
        elif found and start < found[-1].end:
            reasons.append(f"{said} shares characters with another one, which IOB tags cannot say: it is left out")
        else:
            if (start, end) != (span.start, span.end):
                reasons.append(f"{said} begins or ends with blanks: they are left out")
            found.append(Span(span.label, start, end, span.confidence))
    return tuple(found), reasons


def _tokens(one: LabeledText) -> Iterator[tuple[int, int, str]]:
    """(start, end, tag) of every token; where a span begins or ends within a word, the word is cut there."""
    spans = list(one.spans)
    cuts = sorted({edge for span in spans for edge in (span.start, span.end)})
    at = cut = 0
    for match in _TOKEN.finditer(one.text):
        begin = match.start()
        while begin < match.end():
            while cut < len(cuts) and cuts[cut] <= begin:
                cut += 1
            stop = min(match.end(), cuts[cut]) if cut < len(cuts) else match.end()
            while at < len(spans) and spans[at].end <= begin:
                at += 1
            inside = at < len(spans) and spans[at].start <= begin
            yield begin, stop, f"{'B' if begin == spans[at].start else 'I'}-{spans[at].label}" if inside else "O"
            begin = stop


def _json(text: str) -> str:
    return orjson.dumps(text).decode()


# --- in ------------------------------------------------------------------------------------------------------------


@dataclass
class _Block:
    """The lines of one text."""

    first: int = 0
    known: dict[str, str] = field(default_factory=dict)
    tokens: list[tuple[int, str, str]] = field(default_factory=list)  # line, token, tag
    problems: list[BadItem] = field(default_factory=list)


def looks_like_columns(start: bytes) -> bool:
    """Whether the first lines of a file are tokens with such tags."""
    lines = [line for line in start.decode("utf-8-sig", "ignore").split("\n")[:200] if line.strip()]
    rows = [line.split() for line in lines if not line.startswith(("# ", _DOCUMENT))]
    return bool(rows) and all(len(row) >= 2 and _TAG.fullmatch(row[-1]) for row in rows[:50])


def find_conll(stream: BinaryIO, name: str = "") -> Iterator[FoundImage | BadItem]:
    """Every text as it is, streamed; `name` stands before the lines in messages.

    Without `# text` a text is its tokens with a blank between two. Tags may be IOB1, IOB2 or IOBES. Raises ValueError
    for a file that is no UTF-8.
    """
    stream.seek(0)
    block, number = _Block(), 0
    while raw := stream.readline(MAX_LINE):
        number += 1
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise ValueError(f"{name}line {number} is no UTF-8 text") from None
        if line.strip() and not line.startswith(_DOCUMENT):
            _take(block, line, number, name)
            continue
        if block.tokens or block.known:
            yield _text(block, name)
        block = _Block()
    if block.tokens or block.known:
        yield _text(block, name)


def _take(block: _Block, line: str, number: int, name: str) -> None:
    block.first = block.first or number
    where = f"{name}line {number}"
    if (comment := _COMMENT.fullmatch(line)) is not None and not block.tokens:
        try:
            value = orjson.loads(comment[2])
        except orjson.JSONDecodeError:
            value = comment[2]  # as CoNLL-U has it
        if isinstance(value, str):
            block.known[comment[1]] = value
        return
    if line.startswith("# ") and "\t" not in line and not block.tokens:
        return
    words = line.split("\t") if "\t" in line else line.split()
    if len(words) < 2 or not words[0]:
        block.problems.append(BadItem(where, "expected a token and its tag"))
    elif len(block.tokens) >= MOST_TOKENS:
        block.problems.append(BadItem(where, f"the text has more than {MOST_TOKENS:,} tokens"))
    else:
        block.tokens.append((number, words[0], words[-1]))


def _text(block: _Block, name: str) -> FoundImage | BadItem:
    where = f"{name}line {block.first}"
    text = block.known.get("text")
    places: list[tuple[int, int]] = []
    at = 0
    for number, token, _ in block.tokens:
        if text is None:
            start = at + 1 if places else 0
        elif (start := text.find(token, at)) < 0 or text[at:start].strip():
            return BadItem(f"{name}line {number}", f"the token {token[:40]!r} does not follow in '# text'")
        places.append((start, at := start + len(token)))
    if text is None:
        text = " ".join(token for _, token, _ in block.tokens)
    parts, problems = _spans(block, places, name)
    named, address = (block.known.get(key, "") for key in ("name", "address"))
    return found_text(where, text, parts, problems=[*block.problems, *problems], name=named, address=address)


def _spans(block: _Block, places: list[tuple[int, int]], name: str) -> tuple[list[FoundPart], list[BadItem]]:
    parts: list[FoundPart] = []
    problems: list[BadItem] = []
    label, begun, first, end = "", 0, 0, 0

    def close() -> None:
        if label:
            parts.append(FoundPart(f"{name}line {first}", Span(label, begun, end)))

    for (number, _, tag), (start, stop) in zip(block.tokens, places, strict=True):
        how, _, named = tag.partition("-")
        named = named.strip(BLANKS)
        if how not in ("B", "I", "E", "S", "L", "U") or not named:
            if tag != "O":
                problems.append(BadItem(f"{name}line {number}", f"{tag[:40]!r} is no tag such as B-name, I-name or O"))
            how, named = "O", ""
        if label and (how in ("B", "S", "U", "O") or named != label):
            close()
            label = ""
        if named and not label:
            label, begun, first = named, start, number
        end = stop
        if how in ("E", "S", "L", "U") and label:
            close()
            label = ""
    close()
    return parts, problems
