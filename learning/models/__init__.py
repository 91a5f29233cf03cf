"""The one door to this room's models."""

from learning.models.hosting import Deployment, Endpoint, EndpointConfig, EndpointReplica, Variant, VariantTraffic
from learning.models.loops import LearningLoop, LoopObject, Round, Split
from learning.models.registry import Model
from learning.models.training import ProgramRun, TrainingJob, TrainingMetric, TransformJob

__all__ = [
    "Deployment",
    "Endpoint",
    "EndpointConfig",
    "EndpointReplica",
    "LearningLoop",
    "LoopObject",
    "Model",
    "ProgramRun",
    "Round",
    "Split",
    "TrainingJob",
    "TrainingMetric",
    "TransformJob",
    "Variant",
    "VariantTraffic",
]
