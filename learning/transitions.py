"""Every state table of this room."""

from marketplace.states import Machine

JOB_MOVES = {
    "InProgress": {"Completed", "Failed", "Stopping"},
    "Stopping": {"Stopped", "Failed", "Completed"},
    "Completed": set(),
    "Failed": set(),
    "Stopped": set(),
}
TRAINING_JOB = Machine("training job", JOB_MOVES)
TRANSFORM_JOB = Machine("transform job", JOB_MOVES)
MODEL_IMPORT = Machine("model import", JOB_MOVES)
# Whether a model may be put to use, in SageMaker's words; anybody who may decide may decide again.
MODEL = Machine(
    "model",
    {
        "PendingManualApproval": {"Approved", "Rejected"},
        "Approved": {"Rejected", "PendingManualApproval"},
        "Rejected": {"Approved", "PendingManualApproval"},
    },
)
TUNING_JOB = Machine("tuning job", JOB_MOVES)
LOOP = Machine(
    "learning loop",
    {
        "InProgress": {"Completed", "Failed", "Stopped"},
        "Completed": set(),
        "Failed": set(),
        "Stopped": set(),
    },
)
# A round: people label a batch, a model is trained, it predicts, and it labels the objects above the threshold.
ROUND = Machine(
    "round",
    {
        "Labeling": {"Training", "Finished", "Stopped", "Failed"},
        "Training": {"Predicting", "Finished", "Stopped", "Failed"},
        "Predicting": {"AutoLabeling", "Finished", "Stopped", "Failed"},
        "AutoLabeling": {"Finished", "Stopped", "Failed"},
        "Finished": set(),
        "Stopped": set(),
        "Failed": set(),
    },
)
# An audit: people label a sample of a loop's machine labels; when they break the promise, labels are withdrawn.
LOOP_AUDIT = Machine(
    "audit",
    {
        "Labeling": {"Withdrawing", "Kept", "Skipped", "Stopped"},
        "Withdrawing": {"Broken", "Stopped"},
        "Kept": set(),
        "Broken": set(),
        "Skipped": set(),
        "Stopped": set(),
    },
)
# An endpoint, in SageMaker's words. Whatever it does, it may be deleted.
ENDPOINT = Machine(
    "endpoint",
    {
        "Creating": {"InService", "Failed", "Deleting"},
        "InService": {"Updating", "Deleting"},
        "Updating": {"InService", "RollingBack", "Deleting"},
        "RollingBack": {"InService", "UpdateRollbackFailed", "Deleting"},
        "UpdateRollbackFailed": {"Updating", "Deleting"},
        "Failed": {"Deleting"},
        "Deleting": set(),
    },
)
# A configuration of an endpoint: its replicas start, it gets more and more requests, all of them, and none any more.
DEPLOYMENT = Machine(
    "deployment",
    {
        "Starting": {"Shifting", "Serving", "RolledBack", "Failed", "Retired"},
        "Shifting": {"Serving", "RolledBack", "Retired"},
        "Serving": {"Retired"},
        "RolledBack": set(),
        "Failed": set(),
        "Retired": set(),
    },
)
REPLICA = Machine(
    "replica",
    {
        "Creating": {"InService", "Deleting", "Failed"},
        "InService": {"Creating", "Deleting", "Failed"},
        "Deleting": {"Deleted", "Failed"},
        "Deleted": set(),
        "Failed": set(),
    },
)
# A request to an endpoint that people are asked about: it waits for its human loop, and then is as that one is.
REVIEW_REQUEST = Machine(
    "reviewed request",
    {
        "Waiting": {"InProgress", "Failed"},
        "InProgress": {"Completed", "Failed", "Stopped"},
        "Completed": set(),
        "Failed": set(),
        "Stopped": set(),
    },
)
# Continuous improvement: whether a policy works at all.
IMPROVEMENT_POLICY = Machine("improvement policy", {"Active": {"Stopped"}, "Stopped": {"Active"}})
# One image of a policy, after the solution's detection branch: detected, and perhaps put before people.
DETECTION = Machine(
    "detection",
    {
        "Found": {"PassConfidence", "A2IOff", "HumanLoop", "Failed"},
        "PassConfidence": {"HumanLoop"},
        "A2IOff": {"HumanLoop"},
        "HumanLoop": {"Answered", "Unanswered"},
        "Answered": set(),
        "Unanswered": set(),
        "Failed": {"Found"},
    },
)
# One training of a policy, after the solution's training branch, with the evaluation and the watch that it lacks.
POLICY_RUN = Machine(
    "improvement run",
    {
        "InitiateTraining": {"CreateManifest", "Stopped", "Failed"},
        "CreateManifest": {"CreateProjectVersion", "Stopped", "Failed"},
        "CreateProjectVersion": {"WaitForTraining", "Stopped", "Failed"},
        "WaitForTraining": {"TrainingCompleted", "Stopped", "Failed"},
        "TrainingCompleted": {"Evaluation", "Stopped", "Failed"},
        "Evaluation": {"StartModel", "FailedF1Score", "Regression", "Stopped", "Failed"},
        "StartModel": {"WaitForStart", "Stopped", "Failed"},
        "WaitForStart": {"ModelStarted", "Stopped", "Failed"},
        "ModelStarted": {"DeployEndpoint", "Stopped", "Failed"},
        "DeployEndpoint": {"Watching", "Stopped", "Failed"},
        "Watching": {"Completed", "RollingBack", "Stopped"},
        "RollingBack": {"RolledBack", "Stopped", "Failed"},
        "Completed": set(),
        "RolledBack": set(),
        "FailedF1Score": set(),
        "Regression": set(),
        "Stopped": set(),
        "Failed": set(),
    },
)
