"""Files that are told apart by what they hold: worker templates, label category configurations, archives of models.

Pure.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from labeling.formats import label_categories, label_config
from labeling.formats.aws_folder.things import CATEGORIES, DIFFERS, MODEL, RUNS, STOPS, TEMPLATE, Thing, counted
from labeling.formats.template_check import ERROR, check_template
from labeling.formats.template_html import bundle, host_of, marked, masked, tags

MOST_BYTES = 4 * 1024 * 1024
"""Of a file of JSON or a template."""
ONNX, CONFIG = "model.onnx", "config.json"
_NAME = re.compile(r"[^A-Za-z0-9]+")


def is_template(name: str, text: str) -> bool:
    """Whether a file is a worker template."""
    return name.endswith((".liquid", ".liquid.html", ".html", ".htm")) and "<crowd-" in text


def name_of(path: Path) -> str:
    """A name for what a file holds: letters, digits and hyphens of the file's name without its endings."""
    return _NAME.sub("-", path.name.split(".")[0]).strip("-")[:63] or "template"


def read_template(path: Path, root: Path, text: str) -> Thing:
    """A worker template, with what the checker finds; scripts may come from the hosts that it names."""
    thing = Thing(TEMPLATE, name_of(path), path.relative_to(root))
    hosts = sorted(_hosts(text))
    report = check_template(text, script_hosts=hosts)
    for one in report.findings:
        thing.says(STOPS if one.level == ERROR else DIFFERS, one.message, f"line {one.line}" if one.line else "")
    if hosts:
        reason = f"scripts and styles come from {', '.join(hosts)}: a job has to allow these hosts, human loops cannot"
        thing.says(DIFFERS, reason)
    if not thing.findings:
        thing.says(RUNS, "every element and filter is known")
    digest = hashlib.sha256(text.encode()).hexdigest()
    thing.data = {"text": text, "hosts": hosts, "sha256": digest}
    return thing


def _hosts(text: str) -> set[str]:
    """Hosts of scripts and style sheets."""
    found = set()
    for one in tags(masked(marked(text))):
        address = one.attributes.get("src") if one.name == "script" else None
        if one.name == "link" and "stylesheet" in (one.attributes.get("rel") or "").lower():
            address = one.attributes.get("href")
        if address and not bundle(address) and (host := host_of(address)) and "{" not in host:
            found.add(host)
    return found


def is_categories(document: Any) -> bool:
    """Whether JSON is a label category configuration."""
    labels = document.get("labels") if isinstance(document, dict) else None
    return isinstance(labels, list) and bool(labels) and all(isinstance(one, dict) and "label" in one for one in labels)


def read_categories(path: Path, root: Path, content: bytes) -> Thing:
    """A label category configuration."""
    thing = Thing(CATEGORIES, name_of(path), path.relative_to(root))
    try:
        found = label_categories.parse(content)
        label_config.kept(found)
    except label_categories.CategoriesError as error:
        thing.says(STOPS, error.problem, error.field)
        return thing
    thing.says(RUNS, f"{counted(len(found.labels), 'label')}: give the file to a job as it is")
    return thing


def read_model(path: Path, root: Path) -> Thing:
    """An archive of a model. One that holds an ONNX file and its description is taken in."""
    name = name_of(path) if path.name != "model.tar.gz" else name_of(path.parent.parent)
    thing = Thing(MODEL, name, path.relative_to(root))
    try:
        with tarfile.open(path, "r:*") as archive:
            members = {PurePosixPath(one.name).name for one in archive if one.isfile()}
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        thing.says(STOPS, f"cannot be unpacked: {error}")
        return thing
    if {ONNX, CONFIG} <= members:
        thing.says(RUNS, "is taken in as a model")
        thing.data = {"archive": path}
    elif any(one.endswith("-symbol.json") for one in members):
        reason = (
            "holds parameters of MXNet, as SageMaker's built-in algorithms write them, which nothing here reads: train "
            "anew from the imported labels, or convert it to ONNX and put model.onnx with a config.json into the "
            "archive (docs/models.md)"
        )
        thing.says(STOPS, reason)
    else:
        what = ", ".join(sorted(members)[:5]) or "nothing"
        reason = f"holds {what}; {ONNX} with a {CONFIG} (docs/models.md) expected: no pickled model is ever loaded"
        thing.says(STOPS, reason)
    return thing
