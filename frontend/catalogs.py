"""The catalogs of translations: which texts of code and templates are marked, and how other languages say them.

`python -m frontend.catalogs update` writes newly marked texts into frontend/locale/*/LC_MESSAGES/django.po, `check`
says what is wrong with these files, `compile` makes the .mo files that Django reads. By Babel, because gettext's own
programs are not on every machine. Needs no settings and no database.
"""

import argparse
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "frontend" / "locale"
ROOMS = ("frontend", "learning", "labeling", "marketplace")
TEMPLATES = "frontend/templates"
FUNCTIONS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "word": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|(?<!\{)\{\w*[^{}]*\}(?!\})")
WIDTH = 120


def sources() -> Iterator[Path]:
    """Every file whose texts may be marked."""
    for room in ROOMS:
        yield from sorted(path for path in (ROOT / room).rglob("*.py") if "node_modules" not in path.parts)
    yield from sorted((ROOT / TEMPLATES).rglob("*.html"))


def marked() -> Catalog:
    """Every marked text with the files that it stands in."""
    catalog = Catalog(charset="utf-8")
    for path in sources():
        text = path.read_text()
        if path.suffix == ".html":
            # Django makes Python of a template for gettext's own program, which does not mind its indentation.
            text = "\n".join(line.strip() for line in templatize(text, origin=str(path)).splitlines())
        elif "gettext" not in text:
            continue
        found = extract("python", io.BytesIO(text.encode()), FUNCTIONS, options={"encoding": "utf-8"})
        for _line, message, _comments, context in found:
            catalog.add(message, locations=[(str(path.relative_to(ROOT)), 0)], context=context)
    return catalog


def written(path: Path) -> Catalog:
    """A catalog as it is committed; empty where there is none yet."""
    if not path.exists():
        return Catalog(locale=path.parent.parent.name, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def paths() -> list[Path]:
    """The catalog of each language."""
    return sorted(LOCALES.glob("*/LC_MESSAGES/django.po"))


def update() -> None:
    """Add what is newly marked to each catalog, without a translation, and leave out what is marked no more."""
    found = marked()
    for path in paths():
        catalog = written(path)
        # Guesses by likeness would have to be found again by hand.
        catalog.update(found, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        _write(path, catalog)


def _write(path: Path, catalog: Catalog) -> None:
    # Without the times and names that gettext's programs would write anew with every change.
    fresh = Catalog(locale=catalog.locale, project="Waggle", version="1", charset="utf-8", fuzzy=False)
    fresh.header_comment = "# Translations of Waggle; see docs/translating.md."
    fresh.revision_date = fresh.creation_date = datetime(2026, 1, 1, tzinfo=UTC)
    fresh.msgid_bugs_address = fresh.last_translator = fresh.language_team = ""
    for message in catalog:
        if message.id:
            files = sorted({(name, 0) for name, _ in message.locations})
            fresh.add(message.id, message.string, locations=files, flags=message.flags, context=message.context)
    content = io.BytesIO()
    write_po(content, fresh, width=WIDTH, omit_header=False, sort_by_file=False, include_lineno=False)
    path.write_bytes(content.getvalue())


def compile_all() -> None:
    """Write the .mo file beside each catalog."""
    for path in paths():
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, written(path))


def faults() -> list[str]:
    """What is wrong with the catalogs, a sentence each."""
    found, complaints = marked(), []
    for path in paths():
        catalog, name = written(path), path.relative_to(ROOT)
        for message in found:
            if message.id and (own := catalog.get(message.id, message.context)) is None:
                files = ", ".join(sorted({file for file, _ in message.locations}))
                complaints.append(f"{name}: no translation of {message.id!r}, marked in {files}")
            elif message.id and own is not None:
                complaints += [f"{name}: {message.id!r}: {fault}" for fault in _faults_of(own)]
        complaints += [
            f"{name}: {own.id!r} is marked nowhere"
            for own in catalog
            if own.id and found.get(own.id, own.context) is None
        ]
    return complaints


def _faults_of(message: Message) -> list[str]:
    if message.fuzzy:
        return ["marked as fuzzy"]
    ids, strings = _each(message.id), _each(message.string)
    if not all(strings):
        return ["not translated"]
    if any(
        text[:1].isspace() != ids[0][:1].isspace() or text[-1:].isspace() != ids[0][-1:].isspace() for text in strings
    ):
        return ["the spaces at the ends differ"]
    expected = set(PLACEHOLDER.findall(ids[-1]))
    # A singular may do without the number: "one image".
    differing = [text for text in strings[-1:] if set(PLACEHOLDER.findall(text)) != expected]
    differing += [text for text in strings[:-1] if not set(PLACEHOLDER.findall(text)) <= expected]
    return [f"other placeholders in {text!r}" for text in differing]


def _ends(text: str) -> tuple[bool, bool]:
    return text[:1].isspace(), text[-1:].isspace()


def _each(texts: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (texts or "",) if isinstance(texts, str | None) else tuple(texts)


def main() -> None:
    """Run one of the three. Raises SystemExit with what `check` finds."""
    parser = argparse.ArgumentParser(prog="python -m frontend.catalogs", description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["update", "check", "compile"])
    action = parser.parse_args().action
    if action == "check":
        if complaints := faults():
            raise SystemExit("\n".join(complaints))
    elif action == "update":
        update()
    else:
        compile_all()


if __name__ == "__main__":
    main()
