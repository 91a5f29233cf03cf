"""The settings of what an operator sees: logs and metrics; settings_declared.py lists them. Pure."""

from marketplace.settings_kinds import choice, flag, matching

LOG_LEVEL = choice(
    "WAGGLE_LOG_LEVEL",
    "The least important messages that are logged.",
    ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    default="INFO",
)
LOG_FORMAT = choice(
    "WAGGLE_LOG_FORMAT",
    "How a line of the log is written: for people, or as a JSON object for programs that collect logs.",
    ("console", "json"),
    default="console",
)
LOG_REQUESTS = flag(
    "WAGGLE_LOG_REQUESTS",
    "Whether every request is logged; without it only those that end with a status of 500 and above are.",
    default=False,
)
METRICS_TOKEN = matching(
    "WAGGLE_METRICS_TOKEN",
    "The bearer token by which a Prometheus server reads `/metrics`. Without it only operators who are signed in can.",
    r"[A-Za-z0-9_.~+/=-]{16,200}",
    expects="16 to 200 letters, digits and _ . ~ + / = -",
    default="",
    default_in_words="no token is taken",
    secret=True,
)
