"""Every status of this room's models, and the statuses that may follow it."""

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
LABEL_IMPORT = Machine(
    "label import",
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
WORK_QUEUE = Machine(
    "work queue",
    {
        "Initializing": {"InProgress", "Stopped"},
        "InProgress": {"Paused", "Stopped"},
        "Paused": {"InProgress", "Stopped"},
        "Stopped": set(),
    },
)
"""Tasks can be claimed while a queue is InProgress; one that is not only accepts the answers to running leases."""

PANEL_SESSION = Machine(
    "study session",
    {
        "Active": {"Completed", "Returned", "TimedOut", "ScreenedOut"},
        "Completed": {"Rejected"},
        "TimedOut": {"Completed", "Rejected"},
        "Rejected": {"Completed"},
        "Returned": set(),
        "ScreenedOut": set(),
    },
)
"""A participant's visit; whoever owns the panel may reject what was completed, and complete what ran out of time."""

FLOW_DEFINITION = Machine(
    "flow definition",
    {"Initializing": {"Active", "Failed"}, "Active": {"Deleting"}, "Failed": {"Deleting"}, "Deleting": set()},
)
"""One that is Deleting is gone for requesters; people finish its loops."""

HUMAN_LOOP = Machine(
    "human loop",
    {
        "InProgress": {"Completed", "Failed", "Stopping"},
        "Stopping": {"Stopped"},
        "Completed": set(),
        "Failed": set(),
        "Stopped": set(),
    },
)
"""While it is Stopping, those who have begun may finish."""
