"""The one door to this room's models."""

from learning.models.advanced import Advanced
from learning.models.audits import AuditedObject, LoopAudit
from learning.models.hosting import Deployment, Endpoint, EndpointConfig, EndpointReplica, Variant, VariantTraffic
from learning.models.loops import LearningLoop, LoopObject, Round, Split
from learning.models.registry import Model, ModelGroup, ModelImport, NamedModel
from learning.models.training import ProgramRun, TrainingJob, TrainingMetric, TransformJob
from learning.models.tuning import HyperParameterTuningJob, Objective, TuningTrial

__all__ = [
    "Deployment",
    "Endpoint",
    "EndpointConfig",
    "EndpointReplica",
    "Advanced",
    "AuditedObject",
    "HyperParameterTuningJob",
    "LearningLoop",
    "LoopAudit",
    "LoopObject",
    "Model",
    "ModelGroup",
    "ModelImport",
    "NamedModel",
    "Objective",
    "ProgramRun",
    "Round",
    "Split",
    "TrainingJob",
    "TrainingMetric",
    "TransformJob",
    "Variant",
    "VariantTraffic",
    "TuningTrial",
]
