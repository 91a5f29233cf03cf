"""Every state table of this room."""

from marketplace.states import Machine

LABELING_JOB = Machine(
    "labeling job",
    {
        "Initializing": {"InProgress", "Failed", "Stopping"},
        "InProgress": {"Completed", "Failed", "Stopping"},
        "Stopping": {"Stopped", "Failed"},
        "Completed": set(),
        "Failed": set(),
        "Stopped": set(),
    },
)
DATASET = Machine(
    "data set",
    {
        "Initializing": {"InProgress", "Failed", "Stopped"},
        "InProgress": {"Completed", "Failed", "Stopped"},
        "Completed": set(),
        "Failed": set(),
        "Stopped": set(),
    },
)
BATCH = Machine(
    "batch",
    {
        "Initializing": {"InProgress", "Stopped"},
        "InProgress": {"Completed", "Stopped"},
        "Completed": set(),
        "Stopped": set(),
    },
)
EXPORT = Machine(
    "export",
    {"InProgress": {"Completed", "Failed", "Stopped"}, "Completed": set(), "Failed": set(), "Stopped": set()},
)
# A queue hands out tasks while it is InProgress; a stopped one takes the answers to running leases and no more.
WORK_QUEUE = Machine(
    "work queue",
    {"Initializing": {"InProgress", "Stopped"}, "InProgress": {"Stopped"}, "Stopped": set()},
)
