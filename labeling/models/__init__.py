"""The models of this room; other code imports them from here."""

from labeling.models.attempts import FailedAttempt
from labeling.models.bonuses import Bonus
from labeling.models.class_changes import ClassChange, ClassChangeKind
from labeling.models.conduct import (
    AnswerActivity,
    ConductAppeal,
    ConductCheck,
    ConductFinding,
    ConductPolicy,
    FindingStatus,
)
from labeling.models.datasets import BadLine, Dataset, DiscardedFolder
from labeling.models.exports import Export
from labeling.models.flows import FlowDefinition, HumanLoop, HumanTaskUi, LoopAgreement
from labeling.models.functions import FunctionCall, FunctionFailure, FunctionStep, JobFunctions, TaskInput
from labeling.models.golds import Gold, GoldResult, GoldSource, GoldStatus
from labeling.models.imports import ImportedLine, ImportOutcome, LabelImport
from labeling.models.jobs import LabelingJob, Pause, ProbeState, StaleOutput, WorkerModels
from labeling.models.likely_errors import LikelyError
from labeling.models.objects import (
    GUIDELINE_GAP,
    DataObject,
    Label,
    LabelSource,
    LabelWithdrawal,
    ObjectLine,
    ObjectState,
)
from labeling.models.panel_sessions import PanelSession
from labeling.models.prelabels import PreLabel, PreLabelUse
from labeling.models.prices import PriceChange
from labeling.models.qualifications import (
    QualificationAnswer,
    QualificationAttempt,
    QualificationQuestion,
    QualificationTest,
)
from labeling.models.queues import AdvanceRequest, PlannedAdvance, WorkQueue
from labeling.models.reviewers import QueueReviewer
from labeling.models.reviews import AnswerReview, Appeal, AppealStatus, ReviewStatus
from labeling.models.skills import WorkerSkill
from labeling.models.streams import JobTopics, SentLabel, StreamMessage
from labeling.models.tasks import Answer, Assignment, AssignmentStatus, Batch, Task, TaskStatus, WorkerCursor
from labeling.models.templates import QueueTemplate, TemplateVersion, WorkerTemplate

__all__ = [
    "GUIDELINE_GAP",
    "AdvanceRequest",
    "Answer",
    "AnswerActivity",
    "AnswerReview",
    "Appeal",
    "AppealStatus",
    "Assignment",
    "AssignmentStatus",
    "BadLine",
    "Batch",
    "ClassChange",
    "ClassChangeKind",
    "ConductAppeal",
    "ConductCheck",
    "ConductFinding",
    "ConductPolicy",
    "Bonus",
    "DataObject",
    "Dataset",
    "DiscardedFolder",
    "Export",
    "FailedAttempt",
    "FindingStatus",
    "FlowDefinition",
    "FunctionCall",
    "FunctionFailure",
    "FunctionStep",
    "Gold",
    "GoldResult",
    "GoldSource",
    "GoldStatus",
    "HumanLoop",
    "HumanTaskUi",
    "LoopAgreement",
    "JobFunctions",
    "JobTopics",
    "ImportOutcome",
    "ImportedLine",
    "Label",
    "LabelImport",
    "LabelSource",
    "LabelWithdrawal",
    "LabelingJob",
    "LikelyError",
    "ObjectLine",
    "ObjectState",
    "QualificationAnswer",
    "QualificationAttempt",
    "QualificationQuestion",
    "QualificationTest",
    "QueueReviewer",
    "QueueTemplate",
    "Pause",
    "ProbeState",
    "PanelSession",
    "PlannedAdvance",
    "PreLabel",
    "PreLabelUse",
    "PriceChange",
    "ReviewStatus",
    "StaleOutput",
    "SentLabel",
    "StreamMessage",
    "Task",
    "TaskInput",
    "TaskStatus",
    "TemplateVersion",
    "WorkQueue",
    "WorkerCursor",
    "WorkerModels",
    "WorkerSkill",
    "WorkerTemplate",
]
