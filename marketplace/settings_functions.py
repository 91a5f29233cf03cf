"""The settings about functions of requesters, which prepare tasks and merge answers."""

from marketplace.settings_kinds import names, whole

FUNCTIONS = names(
    "WAGGLE_FUNCTIONS",
    "The Python functions, each as module.function, that jobs may name as pre- or post-annotation function. "
    "Each runs in a process of its own beside the message queue.",
    default_in_words="none",
)
FUNCTION_SECONDS = whole(
    "WAGGLE_FUNCTION_SECONDS",
    "How long a pre- or post-annotation function may take for one answer.",
    default=60,
    low=1,
    high=300,
    unit="seconds",
)
FUNCTION_ENVIRONMENT = names(
    "WAGGLE_FUNCTION_ENVIRONMENT",
    "Names of environment variables that the processes of Python functions get, such as SSL_CERT_FILE. Without it they "
    "have PATH, HOME, LANG and PYTHONPATH alone, and no secret of Waggle's.",
    default_in_words="none",
)
