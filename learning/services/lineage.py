"""Where a model comes from: which revision of which labels, which model before it, which code.

Knows the rows of a training; neither its figures nor its files.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from labeling.models import Dataset, LabelingJob
from learning.contract import MODEL, VALIDATION
from learning.models import Model, TrainingJob
from learning.services import registry
from marketplace import storage
from marketplace.errors import NotFound

_CODE = Path(__file__).resolve().parents[1]
_TRAINS = ("contract.py", "hyperparameters.py", "vision", "serving", "selection")


def of_training(run: TrainingJob) -> dict[str, Any]:
    """The lineage of the model that a training makes; slow, for it reads the manifests.

    {"training_job", "code_version", "channels": {name: {"manifest_uri", "sha256", "lines", "dataset", "job"}},
    "parent": the name of the model it started from}; what is not known is None.
    """
    channels = {
        name: _revision(run, str(given["manifest_uri"])) for name, given in run.channels.items() if name != MODEL
    }
    before = parent(run)
    return {
        "training_job": run.name,
        "code_version": code_version(),
        "channels": channels,
        "parent": before.name if before else None,
    }


def parent(run: TrainingJob) -> Model | None:
    """The model that the training started from, if it did and that is still there."""
    given = run.channels.get(MODEL)
    if not given:
        return None
    try:
        return registry.by_arn(account=run.account, model_arn=str(given.get("name", "")))
    except NotFound:
        return None


def _revision(run: TrainingJob, uri: str) -> dict[str, Any]:
    """Which manifest: its content, and the data set or the labeling job that it belongs to."""
    digest, lines = hashlib.sha256(), 0
    with storage.open(uri) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
            lines += block.count(b"\n")
    dataset = Dataset.objects.filter(account=run.account, manifest_uri=uri).values_list("name", flat=True).first()
    return {
        "manifest_uri": uri,
        "sha256": digest.hexdigest(),
        "lines": lines,
        "dataset": dataset,
        "job": _job_of(run),
    }


def _job_of(run: TrainingJob) -> str | None:
    """The labeling job whose loop asked for the training."""
    rows = LabelingJob.objects.filter(account=run.account, learning_loop__rounds__training_job=run)
    return rows.values_list("name", flat=True).first()


@cache
def code_version() -> str:
    """Twelve hexadecimal digits that are the same as long as the code that trains and predicts is."""
    digest = hashlib.sha256()
    for name in _TRAINS:
        found = _CODE / name
        for path in sorted(found.rglob("*.py")) if found.is_dir() else [found]:
            digest.update(path.relative_to(_CODE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def shown(lineage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The channels of a lineage for pages: [{"channel", "manifest_uri", "sha256", "lines", "dataset", "job"}]."""
    return [{"channel": name, **given} for name, given in lineage.get("channels", {}).items()]


def same_validation(left: Model, right: Model) -> bool:
    """Whether both were evaluated on the very same validation manifest, as far as their lineage tells."""
    digests = [one.lineage.get("channels", {}).get(VALIDATION, {}).get("sha256") for one in (left, right)]
    return digests[0] is not None and digests[0] == digests[1]
