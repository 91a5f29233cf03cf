"""Until when a worker can appeal against a finding."""

from datetime import datetime, timedelta

from labeling.conduct.rules import Action
from labeling.models import ConductFinding

DAYS_TO_FILE = 30
"""After a finding, or after the operator made a ban of it."""


def to_file(finding: ConductFinding) -> datetime:
    """The last moment at which an appeal against the finding can be filed."""
    decided = finding.seen_at if finding.action == Action.BAN else None
    return (decided or finding.found_at) + timedelta(days=DAYS_TO_FILE)
