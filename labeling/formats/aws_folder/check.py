"""Reads a folder of files downloaded from Ground Truth and A2I and says, thing by thing, what will run here.

What a file is, its content says. Pure: nothing is sent anywhere, and links are not followed out of the folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import orjson

from labeling.formats import manifest
from labeling.formats.aws_folder import descriptions, files, outputs
from labeling.formats.aws_folder.things import (
    DIFFERS,
    FLOW,
    OTHER,
    RUNS,
    STOPS,
    TASK_UI,
    TEMPLATE,
    Known,
    Thing,
    by_kind,
)
from labeling.formats.template_check import ERROR, check_template

START_BYTES = 4 * manifest.MAX_LINE_CHARACTERS
MOST_FILES = 1_000_000
TEXTS = (".json", ".manifest", ".jsonl", ".html", ".htm", ".liquid")


class FolderError(ValueError):
    """The folder cannot be read."""


def check_folder(folder: Path, known: Known) -> list[Thing]:
    """Everything that was found, in the order of paths. Raises FolderError for no folder, or one without any of it."""
    if not folder.is_dir():
        raise FolderError(f"{folder} is no folder")
    things = list(_things(folder, known))
    if not things:
        raise FolderError(
            f"{folder} holds nothing of Ground Truth or A2I: no output folder of a job (manifests/output/"
            "output.manifest), manifest, template, label category file, model.tar.gz or JSON of describe calls"
        )
    _join(things)
    return things


def _things(root: Path, known: Known) -> Iterator[Thing]:
    count = 0
    for place, folders, names in os.walk(root):
        here = Path(place)
        if (here / outputs.OUTPUT_MANIFEST).is_file():
            yield outputs.read_output(here, root, known)
            for part in outputs.ACTIVE_LEARNING:
                for path in sorted((here / part).rglob("model.tar.gz")):
                    yield files.read_model(path, root)
            folders[:] = [name for name in folders if name not in outputs.PARTS]
        folders.sort()
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                raise FolderError(f"{root} holds more than {MOST_FILES:,} files: name the folder with the jobs")
            path = here / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield from _file(path, root, known)


def _file(path: Path, root: Path, known: Known) -> Iterator[Thing]:
    name = path.name.lower()
    if name.endswith((".tar.gz", ".tgz")):
        yield files.read_model(path, root)
        return
    if not name.endswith(TEXTS):
        return
    with path.open("rb") as stream:
        start = stream.read(START_BYTES)
    if name.endswith((".manifest", ".jsonl")) or (name.endswith(".json") and outputs.is_manifest(start)):
        if outputs.is_manifest(start):
            yield outputs.read_manifest(path, root, known)
        return
    if path.stat().st_size > files.MOST_BYTES:
        thing = Thing(OTHER, path.name, path.relative_to(root))
        thing.says(DIFFERS, f"has more than {files.MOST_BYTES:,} bytes and was not read")
        yield thing
        return
    yield from _text(path, root, known)


def _text(path: Path, root: Path, known: Known) -> Iterator[Thing]:
    content = path.read_bytes()
    if not path.name.lower().endswith(".json"):
        text = content.decode("utf-8-sig", errors="replace")
        if files.is_template(path.name.lower(), text):
            yield files.read_template(path, root, text)
        return
    try:
        document = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        thing = Thing(OTHER, path.name, path.relative_to(root))
        thing.says(STOPS, f"is not JSON: {error.msg}", f"line {error.lineno}")
        yield thing
        return
    if files.is_categories(document):
        yield files.read_categories(path, root, content)
        return
    found = list(descriptions.read(document, path.relative_to(root), known))
    if not found:
        thing = Thing(OTHER, path.name, path.relative_to(root))
        thing.says(DIFFERS, "is none of the things that are moved, and is left out")
        found = [thing]
    yield from found


def _join(things: list[Thing]) -> None:
    """Find the templates of human task UIs, and the human task UIs of flow definitions, among the things."""
    templates = by_kind(things, TEMPLATE)
    for ui in by_kind(things, TASK_UI):
        _template(ui, templates)
    uis = {one.name.lower(): one for one in by_kind(things, TASK_UI)}
    for flow in by_kind(things, FLOW):
        name = flow.data["task_ui"]
        found = uis.get(name.lower())
        if found is None and name:
            reason = f"the human task UI {name} is not in the folder: add `describe-human-task-ui` and its template"
            flow.says(DIFFERS, f"{reason}, or make it here under this name first", "HumanLoopConfig.HumanTaskUiArn")
        elif found is not None and found.verdict == STOPS:
            flow.says(STOPS, f"the human task UI {name} will not run", "HumanLoopConfig.HumanTaskUiArn")


def _template(ui: Thing, templates: list[Thing]) -> None:
    if not ui.data["content"]:
        wanted = ui.data["sha256"]
        same = [one for one in templates if wanted and one.data["sha256"] == wanted]
        named = [one for one in templates if one.name.lower() == ui.name.lower()]
        if not (same or named):
            reason = (
                "its template is not in the folder: save what UiTemplate.Url leads to as a .liquid.html file "
                f"{'of the same SHA-256' if wanted else 'of the same name'}"
            )
            ui.says(STOPS, reason, "UiTemplate")
            return
        chosen = (same or named)[0]
        if wanted and not same:
            ui.says(DIFFERS, f"{chosen.path} has its name and another SHA-256: it was changed", "UiTemplate")
        ui.data["content"] = chosen.data["text"]
    for one in check_template(ui.data["content"]).findings:
        ui.says(STOPS if one.level == ERROR else DIFFERS, one.message, f"template line {one.line}" if one.line else "")
    if not ui.findings:
        ui.says(RUNS, "every element and filter is known")
