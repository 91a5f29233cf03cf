"""model.tar.gz: the files of a model, packed so that equal files give equal bytes.

It must not know what is inside the files, nor where archives are kept.
"""

import gzip
import shutil
import tarfile
from pathlib import Path

from learning.contract import MODEL_FILES, BadInput, files_of

MAX_UNPACKED_BYTES = 4 << 30


def pack_model(folder: Path, target: Path) -> None:
    """Write target (model.tar.gz) from a model folder; equal files give equal bytes (no times, owners or names).

    Raises BadInput naming the file that is missing.
    """
    names = files_of(folder)
    for name in names:
        if not (folder / name).is_file():
            raise BadInput(f"{name} is missing in the model folder")
    beside = target.with_name(f".{target.name}.tmp")
    with beside.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as zipped:
        with tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size = (folder / name).stat().st_size
                member.mode = 0o644
                with (folder / name).open("rb") as stream:
                    archive.addfile(member, stream)
    beside.replace(target)


def unpack_model(archive: Path, folder: Path) -> None:
    """Write the model files of an archive into folder; anything else in it is left alone.

    Raises BadInput when it is no archive, lacks a file, or would unpack to more than MAX_UNPACKED_BYTES. Members are
    found by plain name and copied as data, so links, devices and paths that lead out have no effect.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found, budget = set(), MAX_UNPACKED_BYTES
    try:
        with tarfile.open(archive, mode="r:gz") as opened:
            for member in opened:
                name = member.name.removeprefix("./")
                budget -= member.size
                if budget < 0:
                    raise BadInput(f"{archive.name} unpacks to more than {MAX_UNPACKED_BYTES} bytes")
                if name not in MODEL_FILES or not member.isfile():
                    continue
                source = opened.extractfile(member)
                assert source is not None  # isfile() says so
                with source, (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
                found.add(name)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BadInput(f"{archive.name} is not a readable model archive: {error}") from error
    missing = sorted(set(files_of(folder)) - found)
    if missing:
        raise BadInput(f"{archive.name} lacks {', '.join(missing)}")


def opened_model(folder: Path) -> Path:
    """A channel's folder with the model's files in it; a model.tar.gz (as AWS hands models over) is unpacked first."""
    archive = folder / "model.tar.gz"
    if archive.exists() and not (folder / "config.json").exists():
        unpack_model(archive, folder)
    return folder
