"""The models of the marketplace app; other apps import them from here only."""

from marketplace.models.accounts import Account, ApiToken, IdempotentRequest, Membership, Role, User
from marketplace.models.audit import AuditEvent
from marketplace.models.ledger import Entry, EntryKind, LedgerAccount, LedgerKind, Posting, Subject
from marketplace.models.workforce import Crowd, Worker, WorkerStatus, Workteam, WorkteamMember

__all__ = [
    "Account",
    "ApiToken",
    "AuditEvent",
    "Crowd",
    "Entry",
    "EntryKind",
    "IdempotentRequest",
    "LedgerAccount",
    "LedgerKind",
    "Membership",
    "Posting",
    "Role",
    "Subject",
    "User",
    "Worker",
    "WorkerStatus",
    "Workteam",
    "WorkteamMember",
]
