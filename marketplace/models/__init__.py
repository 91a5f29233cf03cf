"""The one door to the ground floor's models."""

from marketplace.models.accounts import Account, ApiToken, IdempotentRequest, Membership, Role, User
from marketplace.models.audit import AuditEvent
from marketplace.models.ledger import Entry, LedgerAccount, LedgerKind, Posting
from marketplace.models.workforce import Crowd, Worker, WorkerStatus, Workteam, WorkteamMember

__all__ = [
    "Account",
    "ApiToken",
    "AuditEvent",
    "Crowd",
    "Entry",
    "IdempotentRequest",
    "LedgerAccount",
    "LedgerKind",
    "Membership",
    "Posting",
    "Role",
    "User",
    "Worker",
    "WorkerStatus",
    "Workteam",
    "WorkteamMember",
]
