"""The one door to this room's models."""

from learning.models.advanced import Advanced
from learning.models.loops import LearningLoop, LoopObject, Round, Split
from learning.models.registry import Model
from learning.models.training import ProgramRun, TrainingJob, TrainingMetric, TransformJob
from learning.models.tuning import HyperParameterTuningJob, Objective, TuningTrial

__all__ = [
    "Advanced",
    "HyperParameterTuningJob",
    "LearningLoop",
    "LoopObject",
    "Model",
    "Objective",
    "ProgramRun",
    "Round",
    "Split",
    "TrainingJob",
    "TrainingMetric",
    "TransformJob",
    "TuningTrial",
]
