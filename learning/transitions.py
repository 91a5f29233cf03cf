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
