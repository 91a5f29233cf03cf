"""The one door to this room's models."""

from learning.models.hosting import Deployment, Endpoint, EndpointConfig, EndpointReplica, Variant, VariantTraffic
from learning.models.loops import LearningLoop, LoopObject, Round, Split
from learning.models.registry import Model, ModelGroup, ModelImport
from learning.models.training import ProgramRun, TrainingJob, TrainingMetric, TransformJob

__all__ = [
    "Deployment",
    "Endpoint",
    "EndpointConfig",
    "EndpointReplica",
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
    "Variant",
    "VariantTraffic",
]
