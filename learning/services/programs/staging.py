"""Fills a program's job folder: hyperparameters, manifests with their images at hand, the model to start from.

Knows the folder and the store; neither the kinds of program nor what they do. Every step is safe to repeat.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import orjson
from django.conf import settings

from labeling.formats.augmented import put_members
from labeling.formats.manifest import SOURCE_REF
from learning.contract import MODEL, JobFolder, ModelConfig, model_files
from learning.hyperparameters import refuse_operators
from learning.models import Model, ProgramRun
from learning.services import registry
from marketplace import addresses, storage
from marketplace.errors import Forbidden, Invalid, NotFound
from marketplace.services import store_addresses
from marketplace.services.boundaries import Reader

DOWNLOADS = 8
# How the attributes of labels end that are files (labeling/formats/attribute_names.py).
FILE_SUFFIX = "-ref"
CHUNK = 256


def stage(
    run: ProgramRun,
    folder: JobFolder,
    *,
    channels: Mapping[str, Mapping[str, Any]],
    own_hyperparameters: Mapping[str, Any] | None = None,
) -> None:
    """Fill the folder of `run`, whose account is loaded. Safe to repeat.

    `channels`: those of the run, MODEL with the "name" of a model and, in "renamed", other names for its classes, all
    others with the "manifest_uri" of a manifest.
    `own_hyperparameters`: ours, from the operator's settings. An image that is missing, or that the account may not
    read, is left out: the program says so for its line. Raises StoreUnavailable when the store cannot be reached (try
    again later), BadInput for a hyperparameter of the run that only the operator may set.
    """
    # Checked again where it would be used: rows may be older than the check at their creation.
    refuse_operators(run.hyperparameters)
    for name, configuration in channels.items():
        if name == MODEL:
            model = registry.by_arn(account=run.account, model_arn=configuration["name"])
            _stage_model(model, folder.channel(MODEL), configuration.get("renamed") or {})
        elif not folder.manifest(name).exists():
            _stage_manifest(configuration["manifest_uri"], folder, name, Reader(run.account), _files_of_lines(run))
    ours: dict[str, Any] = {
        "image_max_bytes": settings.IMAGE_MAX_BYTES,
        "image_max_pixels": settings.IMAGE_MAX_PIXELS,
    }
    if settings.LEARNER_THREADS:
        ours["num_threads"] = settings.LEARNER_THREADS
    folder.prepare(hyperparameters={**ours, **run.hyperparameters, **(own_hyperparameters or {})}, channels=channels)


def _stage_model(model: Model, folder: Path, renamed: Mapping[str, str]) -> None:
    """Put the model there, its classes under the names that they have since (old -> new)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in model_files(model.architecture):
        if not (folder / name).exists():
            _download(registry.part_uri(model, name), folder / name)
    if renamed:
        config = ModelConfig.read(folder)
        classes = {number: renamed.get(label, label) for number, label in config.class_map.items()}
        replace(config, class_map=classes).write(folder)


def _files_of_lines(run: ProgramRun) -> tuple[str, ...]:
    """The members of a manifest's lines that name files: images, and labels that are files, whose attribute says so."""
    attribute = run.hyperparameters.get("label_attribute_name", "")
    return (SOURCE_REF, attribute) if attribute.endswith(FILE_SUFFIX) else (SOURCE_REF,)


def _stage_manifest(uri: str, folder: JobFolder, channel: str, reader: Reader, members: tuple[str, ...]) -> None:
    target = folder.manifest(channel)
    images = target.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    beside, former = target.with_suffix(".tmp"), store_addresses.former()
    with storage.open(uri) as stream, beside.open("wb") as out, ThreadPoolExecutor(DOWNLOADS) as pool:
        moved = addresses.MovedLines(stream, former=former).moved
        for some in _chunks(map(moved, _lines(stream))):
            for line in pool.map(lambda raw: _localise(raw, images, reader, members), some):
                out.write(line + b"\n")
    # Renamed last: a manifest that is there is whole, and its images lie beside it.
    beside.replace(target)


def _lines(stream: Any) -> Iterator[bytes]:
    rest = b""
    while block := stream.read(1 << 20):
        *whole, rest = (rest + block).split(b"\n")
        yield from (line for line in whole if line.strip())
    if rest.strip():
        yield rest


def _chunks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    source = iter(lines)
    while some := list(islice(source, CHUNK)):
        yield some


def _localise(line: bytes, images: Path, reader: Reader, members: tuple[str, ...]) -> bytes:
    """The line with `members` paths on this machine; one that cannot be read is the program's to complain about."""
    try:
        body = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    uris = {name: body[name] for name in members if name in body} if isinstance(body, dict) else {}
    local = {name: _at_hand(uri, images, reader) for name, uri in uris.items() if _is_stored(uri)}
    return put_members(line, local) if local else line


def _is_stored(uri: Any) -> bool:
    return isinstance(uri, str) and uri.startswith(("s3://", "file://"))


def _at_hand(uri: str, images: Path, reader: Reader) -> str:
    name = hashlib.sha256(uri.encode()).hexdigest()[:32] + PurePosixPath(uri).suffix.lower()
    try:
        reader.check(uri)
        local = storage.local_path(uri)
        if local is None:
            local = images / name
            if not local.exists():
                _download(uri, local)
    except (NotFound, Forbidden, Invalid):
        local = images / f"missing-{name}"
    return str(local)


def _download(uri: str, target: Path) -> None:
    beside = target.with_name(f".{target.name}.part")
    with storage.open(uri) as stream, beside.open("wb") as out:
        while block := stream.read(1 << 20):
            out.write(block)
    beside.replace(target)
