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
