"""The models of the marketplace app; other apps import them from here only."""

from marketplace.models.accounts import Account, ApiToken, IdempotentRequest, Membership, Role, User
from marketplace.models.audit import AuditEvent
from marketplace.models.invitations import Invitation, InvitationStatus
from marketplace.models.ledger import Entry, EntryKind, LedgerAccount, LedgerKind, Posting, Subject
from marketplace.models.payouts import UNDER_WAY, Payout, PayoutDetails, PayoutStatus
from marketplace.models.qualifications import (
    ActionsGuarded,
    AudienceRequirement,
    Comparator,
    GrantedBy,
    Qualification,
    QualificationType,
    QualificationTypeStatus,
)
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
    "ActionsGuarded",
    "ApiToken",
    "Audience",
    "AudienceGroup",
    "AudienceRequirement",
    "AuditEvent",
    "Block",
    "Comparator",
    "Crowd",
    "Entry",
    "EntryKind",
    "GrantedBy",
    "GroupKind",
    "GroupMember",
    "IdempotentRequest",
    "Invitation",
    "InvitationStatus",
    "LedgerAccount",
    "LedgerKind",
    "Membership",
    "Payout",
    "PayoutDetails",
    "PayoutStatus",
    "Posting",
    "Qualification",
    "QualificationType",
    "QualificationTypeStatus",
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
