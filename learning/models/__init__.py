"""The one door to this room's models."""

from learning.models.advanced import Advanced
from learning.models.audits import AuditedObject, LoopAudit
from learning.models.hosting import Deployment, Endpoint, EndpointConfig, EndpointReplica, Variant, VariantTraffic
from learning.models.loops import LearningLoop, LoopObject, Round, Split
from learning.models.policies import FOLLOWED_RUNS, Detection, ImprovementPolicy, PolicyRun, RunStep, Use
from learning.models.prelabels import PreLabelRun
from learning.models.registry import Model, ModelGroup, ModelImport, NamedModel
from learning.models.reviews import EndpointReview, ReviewRequest
from learning.models.training import ProgramRun, TrainingJob, TrainingMetric, TransformJob
from learning.models.tuning import HyperParameterTuningJob, Objective, TuningTrial

__all__ = [
    "Deployment",
    "Detection",
    "Endpoint",
    "EndpointConfig",
    "EndpointReplica",
    "EndpointReview",
    "Advanced",
    "AuditedObject",
    "FOLLOWED_RUNS",
    "HyperParameterTuningJob",
    "ImprovementPolicy",
    "LearningLoop",
    "LoopAudit",
    "LoopObject",
    "Model",
    "ModelGroup",
    "ModelImport",
    "NamedModel",
    "Objective",
    "PreLabelRun",
    "PolicyRun",
    "ProgramRun",
    "ReviewRequest",
    "Round",
    "RunStep",
    "Split",
    "TrainingJob",
    "TrainingMetric",
    "TransformJob",
    "Use",
    "Variant",
    "VariantTraffic",
    "TuningTrial",
]
