"""Erasing a person's data for good, at their own wish or by an operator. What they did stays, under a pseudonym.

Answers, labels, payments and the audit trail name a person by numbers and by their worker id, which from then on lead
to nobody: so every label can be traced and the ledger is whole. Refused while money is owed or work is open. The rooms
above erase what they know of a worker by LISTENERS, and name what is in the way by OBSTACLES.
"""

from collections.abc import Callable, Iterator

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Replace

from marketplace import money
from marketplace.errors import Invalid, WrongState
from marketplace.models import (
    AccessKey,
    Account,
    ApiToken,
    AuditEvent,
    BillingTerms,
    EventDestination,
    IdempotentRequest,
    Invitation,
    LedgerAccount,
    LedgerKind,
    Membership,
    Notice,
    NoticePreference,
    Payout,
    PayoutDetails,
    Qualification,
    Role,
    SignUp,
    StripePayee,
    User,
    WebhookEndpoint,
    Worker,
    WorkerProfile,
    Workteam,
)
from marketplace.ranges import Range
from marketplace.services import accounts, audit, eligibility, ledger, payouts, people, workteams

ERASED = "erased"
CONFIRM_LENGTH = Range(1, User._meta.get_field("email").max_length)
MONEY = {
    LedgerKind.EARNINGS: "of earnings: have them paid out first",
    LedgerKind.PAYOUTS: "on the way to the bank: wait until the payout is done",
    LedgerKind.HELD: "held for answers under review: wait until they are decided",
}
OF_ACCOUNTS = {
    LedgerKind.WALLET: "in its wallet: take them back first",
    LedgerKind.ESCROW: "set aside for its work: stop or finish it first",
    LedgerKind.HELD: "held for answers under review: wait until they are decided",
    LedgerKind.REFUNDS: "on the way back to its bank: wait until the refund is done",
    LedgerKind.OWED: "owed by it: settle them first",
    LedgerKind.ACCRUED: "paid under a contract and not invoiced: wait for the invoice",
    LedgerKind.INVOICED: "invoiced and not paid out: wait for the payment",
}

OBSTACLES: list[Callable[[Worker], Iterator[str]]] = []
"""What else is in the way of erasing a worker, in words, by the rooms above."""

LISTENERS: list[Callable[[Worker], None]] = []
"""Called in the transaction that erases a worker."""


def is_erased(user: User) -> bool:
    """Whether the person's data were erased."""
    return user.email == _address(user)


def obstacles(user: User) -> list[str]:
    """Why somebody's data cannot be erased now, each with what to do about it; empty when they can."""
    return list(_obstacles(user))


def erase(*, user: User, confirm: str, by: str) -> bool:
    """Erase who somebody is: name, addresses, sign-ins, payout details, texts. Nobody can undo it.

    `confirm` repeats the person's e-mail address. Returns False when it was done before. Raises Invalid for another
    address, WrongState naming everything that is in the way.
    """
    if is_erased(user):
        return False
    if confirm.strip().lower() != user.email:
        raise Invalid("repeat the e-mail address of the person whose data are to be erased", field="confirm")
    with transaction.atomic():
        # Every operator, in the order of keys, so that the last two cannot go at once; and the person.
        wanted = User.objects.filter(Q(pk=user.pk) | Q(is_operator=True)).order_by("pk")
        row = {one.pk: one for one in wanted.select_for_update(no_key=True)}[user.pk]
        mine = list(Membership.objects.filter(user=row).select_related("account").order_by("account_id"))
        for membership in mine:
            accounts.lock_members(membership.account)
        worker = Worker.objects.select_for_update(no_key=True).filter(user=row).first()
        if found := obstacles(row):
            raise WrongState("; ".join(found), field="user")
        address = row.email
        for membership in mine:
            _leave(membership, by)
        _erase_sign_ins(row)
        if worker is not None:
            _erase_worker(worker, by)
        _erase_mentions(address)
        _erase_user(row)
        audit.record(row, by=by, because="personal data erased")
    user.refresh_from_db()
    return True


def _obstacles(user: User) -> Iterator[str]:
    worker = Worker.objects.filter(user=user).first()
    if worker is not None:
        for kind, what in MONEY.items():
            micros = ledger.balance(*LedgerAccount.objects.filter(kind=kind, worker=worker))
            # Less than a cent cannot be paid out.
            if micros >= payouts.CENT or (micros and kind != LedgerKind.EARNINGS):
                yield f"{money.plain(micros)} dollars are {what}"
        for further in OBSTACLES:
            yield from further(worker)
    for membership in Membership.objects.filter(user=user, role=Role.OWNER).select_related("account"):
        account = membership.account
        others = Membership.objects.filter(account=account).exclude(user=user)
        if others.filter(role=Role.OWNER).exists():
            continue
        if others.exists():
            yield f"{account.name} has no other owner: make somebody one first"
            continue
        for kind, what in OF_ACCOUNTS.items():
            if micros := ledger.balance(*LedgerAccount.objects.filter(kind=kind, account=account)):
                yield f"{account.name}: {money.plain(abs(micros))} dollars are {what}"
    operators = User.objects.filter(is_operator=True, is_active=True)
    if user.is_operator and user.is_active and not operators.exclude(pk=user.pk).exists():
        yield "there is no other operator: make somebody one first"


def _leave(membership: Membership, by: str) -> None:
    """Take the person out of an account; one that nobody is left in loses what it says of people, too."""
    account = membership.account
    membership.delete()
    accounts.record(account, by, f"user:{membership.user_id} removed")
    if Membership.objects.filter(account=account).exists():
        return
    Account.objects.filter(pk=account.pk).update(name=f"{ERASED}-{account.pk}", organization="", contact_email="")
    BillingTerms.objects.filter(account=account).update(billing_name="", billing_address="")
    for endpoints in (WebhookEndpoint, EventDestination):
        endpoints.objects.filter(account=account).delete()


def _erase_sign_ins(user: User) -> None:
    for rows in (ApiToken, AccessKey, IdempotentRequest, Notice, NoticePreference, WebhookEndpoint):
        rows.objects.filter(user=user).delete()
    for others in (EmailAddress, SocialAccount, Authenticator):
        others.objects.filter(user=user).delete()
    SignUp.objects.filter(email=user.email).delete()
    # One row by one: of two pending ones of an account the address would be the same otherwise.
    for invitation in Invitation.objects.filter(email=user.email).order_by("pk"):
        Invitation.objects.filter(pk=invitation.pk).update(
            email=f"{ERASED}-{invitation.pk}-invitation@{people.ERASED_DOMAIN}"
        )


def _erase_worker(worker: Worker, by: str) -> None:
    for team in Workteam.objects.filter(memberships__worker=worker).order_by("pk"):
        # A vendor's staff leaves the contracts' teams with the last private one.
        if team.memberships.filter(worker=worker).exists():
            workteams.remove_worker(team=team, worker=worker, by=by)
    for rows in (WorkerProfile, PayoutDetails, StripePayee):
        rows.objects.filter(worker=worker).delete()
    Payout.objects.filter(worker=worker).update(holder=ERASED, destination=ERASED, failure_reason="")
    eligibility.erase_reasons(worker)
    Qualification.objects.filter(worker=worker).update(reason="")
    if worker.participant:
        Worker.objects.filter(pk=worker.pk).update(participant=f"{ERASED}-{worker.pk}")
    for listener in LISTENERS:
        listener(worker)


def _erase_mentions(address: str) -> None:
    """What others were told, and what was recorded, says the address no more."""
    said = Value(address), Value(f"({ERASED})")
    Notice.objects.filter(text__contains=address).update(text=Replace(F("text"), *said))
    AuditEvent.objects.filter(because__contains=address).update(because=Replace(F("because"), *said))


def _erase_user(user: User) -> None:
    user.username = user.email = _address(user)
    user.display_name = user.first_name = user.last_name = user.language = ""
    user.is_active = user.is_operator = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.sign_outs += 1
    user.set_unusable_password()
    user.save()


def _address(user: User) -> str:
    return f"{ERASED}-{user.pk}@{people.ERASED_DOMAIN}"
