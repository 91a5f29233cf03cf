"""The models of the marketplace app; other apps import them from here only."""

from marketplace.models.accounts import Account, ApiToken, IdempotentRequest, Membership, Role, User
from marketplace.models.audit import AuditEvent
from marketplace.models.invitations import Invitation, InvitationStatus
from marketplace.models.ledger import Entry, EntryKind, LedgerAccount, LedgerKind, Posting, Subject
from marketplace.models.panels import Panel, PanelProvider
from marketplace.models.payouts import UNDER_WAY, Payout, PayoutDetails, PayoutStatus
from marketplace.models.rates import RateWindow
from marketplace.models.store import StoreAddress
from marketplace.models.workforce import (
    Audience,
    AudienceGroup,
    Block,
    Crowd,
    GroupKind,
    GroupMember,
    Worker,
    WorkerGroup,
    WorkerStatus,
    Workteam,
    WorkteamMember,
)

__all__ = [
    "UNDER_WAY",
    "Account",
    "ApiToken",
    "Audience",
    "AudienceGroup",
    "AuditEvent",
    "Block",
    "Crowd",
    "Entry",
    "EntryKind",
    "GroupKind",
    "GroupMember",
    "IdempotentRequest",
    "Invitation",
    "InvitationStatus",
    "LedgerAccount",
    "LedgerKind",
    "Membership",
    "Panel",
    "PanelProvider",
    "Payout",
    "PayoutDetails",
    "PayoutStatus",
    "Posting",
    "RateWindow",
    "Role",
    "StoreAddress",
    "Subject",
    "User",
    "Worker",
    "WorkerGroup",
    "WorkerStatus",
    "Workteam",
    "WorkteamMember",
]
