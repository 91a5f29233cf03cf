"""Models in archives downloaded from AWS: model.onnx and config.json are taken out and given to the registry."""

import hashlib
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from frontend import automation
from labeling.formats.aws_folder.files import CONFIG, ONNX
from labeling.formats.aws_folder.things import MODEL, STOPS, Thing, by_kind
from labeling.services.migration.importing import WILL_NOT_RUN
from labeling.services.migration.plans import FAILED, IMPORTED, LEFT_OUT, THERE, Done, Plan, reasons
from marketplace import storage
from marketplace.errors import DomainError, Invalid
from marketplace.services import boundaries


def take_in(things: Sequence[Thing], plan: Plan) -> Iterator[Done]:
    """Start an import of every model that can be read; a program of the learner tries each before it counts."""
    for thing in by_kind(things, MODEL):
        if thing.verdict == STOPS:
            yield Done(MODEL, thing.name, LEFT_OUT, WILL_NOT_RUN)
        elif not automation.installed():
            yield Done(MODEL, thing.name, LEFT_OUT, "this installation has no models (WAGGLE_LEARNING)")
        else:
            yield _model(thing, plan)


def _model(thing: Thing, plan: Plan) -> Done:
    if automation.has_model(plan.account, thing.name):
        return Done(MODEL, thing.name, THERE)
    try:
        onnx, config = _unpacked(thing.data["archive"], plan)
        automation.import_model(account=plan.account, name=thing.name, onnx_uri=onnx, config_uri=config, by=plan.by)
    except DomainError as error:
        return Done(MODEL, thing.name, FAILED, reasons(error))
    return Done(MODEL, thing.name, IMPORTED, "the learner tries it now; the page of model imports says how it went")


def _unpacked(path: Path, plan: Plan) -> tuple[str, str]:
    """The addresses of the two files in the account's part of the store. Raises Invalid for a damaged archive."""
    name = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    folder = storage.join(boundaries.base_of(plan.account), "migrated", name)
    uris: dict[str, str] = {}
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                file = PurePosixPath(member.name).name
                if member.isfile() and file in (ONNX, CONFIG) and (stream := archive.extractfile(member)):
                    uris[file] = storage.join(folder, file)
                    storage.write(uris[file], cast(BinaryIO, stream))
    except (tarfile.TarError, EOFError) as error:
        raise Invalid(f"{path.name} cannot be unpacked: {error}") from None
    return uris[ONNX], uris[CONFIG]
