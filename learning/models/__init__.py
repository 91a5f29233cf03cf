"""The one door to this room's models."""

from learning.models.loops import LearningLoop, LoopObject, Round, Split
from learning.models.registry import Model, ModelGroup, ModelImport
from learning.models.training import ProgramRun, TrainingJob, TrainingMetric, TransformJob

__all__ = [
    "LearningLoop",
    "LoopObject",
    "Model",
    "ModelGroup",
    "ModelImport",
    "ProgramRun",
    "Round",
    "Split",
    "TrainingJob",
    "TrainingMetric",
    "TransformJob",
]
