"""The registry of program kinds. Adding one is a file beside this one and a line in KINDS."""

from typing import Any

from learning.models import ProgramRun
from learning.services.programs.kinds.interface import ProgramKind
from learning.services.programs.kinds.model_import import ModelImportKind
from learning.services.programs.kinds.replica import ReplicaKind
from learning.services.programs.kinds.training import TrainingKind
from learning.services.programs.kinds.transform import TransformKind

KINDS: tuple[ProgramKind[Any], ...] = (
    ModelImportKind(),
    TransformKind(),
    TrainingKind(),
    ReplicaKind(),
)


def get(name: str) -> ProgramKind[Any]:
    """The kind of this name. Raises LookupError listing the names there are."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise LookupError(f"there is no kind of program {name!r}; there are {', '.join(kind.name for kind in KINDS)}")


def of(run: ProgramRun) -> ProgramKind[Any]:
    """The kind of a run."""
    return get(str(run._meta.model_name))
