"""Fills a program's job folder: hyperparameters, manifests with their images at hand, the model to start from.

Knows the folder and the store; neither the kinds of program nor what they do. Every step is safe to repeat.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from labeling.formats.augmented import put_members
from labeling.formats.manifest import SOURCE_REF
from learning.contract import MODEL, JobFolder, ModelConfig, model_files
from learning.hyperparameters import refuse_operators
from learning.models import Model, ProgramRun
from learning.services import registry
from learning.services.programs import channel_formats, channel_labels
from learning.services.programs.channel_formats import Source
from learning.services.programs.channel_images import FILE, ChannelImages, download, write_addresses
from marketplace import addresses, storage
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
    others with the "manifest_uri" of a manifest, or the "uri" of something of the "content_type" (channel_formats),
    with an "input_mode" (channel_images).
    `own_hyperparameters`: ours, from the operator's settings. An image that is missing, or that the account may not
    read, is left out: the program says so for its line. Raises StoreUnavailable when the store cannot be reached (try
    again later), BadInput for a hyperparameter of the run that only the operator may set.
    """
    # Checked again where it would be used: rows may be older than the check at their creation.
    refuse_operators(run.hyperparameters)
    for name, configuration in channels.items():
        if name.endswith(channel_formats.ANNOTATION):
            continue
        if name == MODEL:
            model = registry.by_arn(account=run.account, model_arn=configuration["name"])
            _stage_model(model, folder.channel(MODEL), configuration.get("renamed") or {})
        else:
            source = Source(
                channel=name,
                uri=configuration.get("manifest_uri") or configuration["uri"],
                content_type=configuration.get("content_type", channel_formats.MANIFEST_TYPE),
                attribute=run.hyperparameters.get("label_attribute_name", ""),
                images_uri=configuration.get("images_uri", ""),
                annotation_uri=channels.get(name + channel_formats.ANNOTATION, {}).get("uri", ""),
            )
            _stage_images(run, source, folder, streamed=configuration.get("input_mode", FILE) != FILE)
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
            download(registry.part_uri(model, name), folder / name)
    if renamed:
        config = ModelConfig.read(folder)
        classes = {number: renamed.get(label, label) for number, label in config.class_map.items()}
        replace(config, class_map=classes).write(folder)


def _files_of_lines(run: ProgramRun) -> tuple[str, ...]:
    """The members of a manifest's lines that name files beside the image: labels whose attribute says so."""
    attribute = run.hyperparameters.get("label_attribute_name", "")
    return (attribute,) if attribute.endswith(FILE_SUFFIX) else ()


def _stage_images(run: ProgramRun, source: Source, folder: JobFolder, *, streamed: bool) -> None:
    target, reader = folder.manifest(source.channel), Reader(run.account)
    if not target.exists():
        beside = target.with_suffix(".tmp")
        images = ChannelImages(target.parent, reader, streamed=streamed)
        with images.open(), beside.open("wb") as out, folder.notes(source.channel).open("w") as notes:
            for line in _lines_of(run, source, images, folder):
                if isinstance(line, bytes):
                    out.write(line + b"\n")
                else:
                    notes.write(line + "\n")
        # Renamed last: a manifest that is there is whole, and its images lie beside it or are noted there.
        beside.replace(target)
    if streamed:
        # At every start, because the addresses of an earlier one expire.
        write_addresses(folder, source.channel, reader)


def _lines_of(run: ProgramRun, source: Source, images: ChannelImages, folder: JobFolder) -> Iterator[bytes | str]:
    """The channel's manifest lines, and as text what is to be said about it in the log."""
    if channel_formats.is_manifest(source):
        yield from _manifest(source.uri, images, _files_of_lines(run))
    elif source.content_type in (channel_formats.LABELS_TYPE, *channel_formats.LABEL_FORMATS):
        given = json.loads(run.hyperparameters.get("class_map", "{}"))
        classes = channel_formats.Classes(folder.root / "classes.json", given)
        yield from channel_labels.lines(source, images, account=run.account, classes=classes)
        classes.keep()
    else:
        yield from channel_formats.lines(source, images)


def _manifest(uri: str, images: ChannelImages, labels: tuple[str, ...]) -> Iterator[bytes]:
    """The lines of an augmented manifest, with `source-ref` and the `labels` that are files paths on this machine."""
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        for some in _chunks(manifest_lines(uri)):
            yield from pool.map(lambda raw: _localise(raw, images, labels), some)


def manifest_lines(uri: str) -> Iterator[bytes]:
    """The lines of a manifest in the store that are not empty, with present addresses, streamed."""
    former = store_addresses.former()
    with storage.open(uri) as stream:
        yield from map(addresses.MovedLines(stream, former=former).moved, _lines(stream))


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


def _localise(line: bytes, images: ChannelImages, labels: tuple[str, ...]) -> bytes:
    """The line with the files that it names on this machine; one that cannot be read is the program's to complain
    about."""
    try:
        body = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    if not isinstance(body, dict):
        return line
    named = {name: body[name] for name in (SOURCE_REF, *labels) if _is_stored(body.get(name))}
    local = {name: images.of(uri, copied=name != SOURCE_REF) for name, uri in named.items()}
    return put_members(line, local) if local else line


def _is_stored(uri: Any) -> bool:
    return isinstance(uri, str) and uri.startswith(("s3://", "file://"))
