"""The models of the marketplace app; other apps import them from here only."""

from marketplace.models.access_keys import AccessKey, ResourceRequest, Tag, Workforce
from marketplace.models.accounts import Account, ApiToken, IdempotentRequest, Membership, Role, User
from marketplace.models.audit import AuditEvent
from marketplace.models.billing import BillingTerms, WalletRefund, WalletRefundStatus
from marketplace.models.chosen_keys import ChosenKeys
from marketplace.models.events import CredentialsKind, DestinationKind, Event, EventDelivery, EventDestination
from marketplace.models.funds import FundsWatch
from marketplace.models.identity import IdentityProtocol, IdentityProvider, IdentityProviderStatus
from marketplace.models.invitations import Invitation, InvitationStatus
from marketplace.models.ledger import Entry, EntryKind, LedgerAccount, LedgerKind, Posting, Subject
from marketplace.models.messages import EndpointStatus, MessageDelivery, MessageEndpoint
from marketplace.models.notices import EmailPace, Notice, NoticeKind, NoticePreference
from marketplace.models.panels import Panel, PanelProvider
from marketplace.models.payments import StripeDeposit, StripeEvent, StripePayee, StripeTransfer
from marketplace.models.payouts import UNDER_WAY, PaymentWay, Payout, PayoutDetails, PayoutStatus
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
from marketplace.models.reputation import Evidence, EvidenceSource, Reputation
from marketplace.models.sight import Heartbeat, LedgerTotal, LedgerTotalsMark
from marketplace.models.signups import SignUp, SignUpPurpose, WorkerProfile
from marketplace.models.store import StoreAddress
from marketplace.models.vendors import (
    Contract,
    ContractStatus,
    Employer,
    Invoice,
    InvoicedPosting,
    InvoiceLine,
    InvoicePeriod,
    InvoiceStatus,
    ListingStatus,
    VendorListing,
)
from marketplace.models.webhooks import WebhookDelivery, WebhookEndpoint, WebhookStatus
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
    new_portal_slug,
)

__all__ = [
    "UNDER_WAY",
    "AccessKey",
    "Account",
    "ActionsGuarded",
    "ApiToken",
    "Audience",
    "AudienceGroup",
    "AudienceRequirement",
    "AuditEvent",
    "BillingTerms",
    "Block",
    "ChosenKeys",
    "Comparator",
    "Contract",
    "ContractStatus",
    "CredentialsKind",
    "Crowd",
    "DestinationKind",
    "EmailPace",
    "Employer",
    "EndpointStatus",
    "Entry",
    "EntryKind",
    "FundsWatch",
    "GrantedBy",
    "Event",
    "EventDelivery",
    "EventDestination",
    "Evidence",
    "EvidenceSource",
    "GroupKind",
    "GroupMember",
    "Heartbeat",
    "IdempotentRequest",
    "IdentityProtocol",
    "IdentityProvider",
    "IdentityProviderStatus",
    "Invitation",
    "InvitationStatus",
    "Invoice",
    "InvoiceLine",
    "InvoicePeriod",
    "InvoiceStatus",
    "InvoicedPosting",
    "LedgerAccount",
    "LedgerKind",
    "LedgerTotal",
    "LedgerTotalsMark",
    "ListingStatus",
    "Membership",
    "MessageDelivery",
    "MessageEndpoint",
    "Notice",
    "NoticeKind",
    "NoticePreference",
    "Panel",
    "PanelProvider",
    "PaymentWay",
    "Payout",
    "PayoutDetails",
    "PayoutStatus",
    "Posting",
    "Qualification",
    "QualificationType",
    "QualificationTypeStatus",
    "RateWindow",
    "Reputation",
    "ResourceRequest",
    "Role",
    "SignUp",
    "SignUpPurpose",
    "StoreAddress",
    "StripeDeposit",
    "StripeEvent",
    "StripePayee",
    "StripeTransfer",
    "Subject",
    "Tag",
    "User",
    "WalletRefund",
    "WalletRefundStatus",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookStatus",
    "VendorListing",
    "Worker",
    "WorkerGroup",
    "WorkerProfile",
    "WorkerStatus",
    "Workforce",
    "Workteam",
    "WorkteamMember",
    "new_portal_slug",
]
