"""How an account is billed: tax on the platform's fees, and what invoices say of it.

The tax is charged on fees only: what workers are paid passes through the platform. It is booked once a month is over,
at the rate of that moment, out of the wallet into a pocket of its own; what the wallet does not hold is owed.
"""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from stdnum.eu import vat
from stdnum.exceptions import ValidationError

from marketplace import money
from marketplace.errors import Invalid
from marketplace.models import Account, BillingTerms, EntryKind, LedgerKind
from marketplace.ranges import Range
from marketplace.services import audit, debts, ledger, statements

LABEL_LENGTH = Range(0, 40)
"""Characters of what the tax is called, such as VAT."""

NUMBER_LENGTH = Range(0, 20)
"""Characters of a tax number."""

NAME_LENGTH = Range(0, 120)
"""Characters of the name on invoices."""

ADDRESS_LENGTH = Range(0, 400)
"""Characters of the address on invoices."""

PERCENT = Range(0, 100)
"""Tax on the platform's fees."""

PERCENT_LENGTH = Range(1, 6)
"""Characters of a rate as text."""

PERCENT_TEXT = r"^[0-9]{1,3}(\.[0-9]{1,2})?$"
"""A rate as text; whether it is above 100 is checked by its value."""

_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9 ./-]*")


def terms(account: Account) -> BillingTerms:
    """The account's terms; those of an account that has none yet are not stored."""
    return BillingTerms.objects.filter(account=account).first() or BillingTerms(account=account)


def set_invoicing(*, account: Account, name: str, address: str, number: str) -> BillingTerms:
    """Say what invoices of the account say of it. Raises Invalid, naming the field.

    A number that begins with the letters of a country of the EU must be a valid VAT number of it.
    """
    name, address, number = name.strip(), address.strip(), number.strip().upper()
    fields = (("billing_name", name, NAME_LENGTH), ("billing_address", address, ADDRESS_LENGTH))
    for field, text, length in (*fields, ("tax_number", number, NUMBER_LENGTH)):
        if len(text) not in length:
            raise Invalid(f"{length} characters are expected, {len(text)} found", field=field)
    if number and not _NUMBER.fullmatch(number):
        raise Invalid("a tax number is made of letters and digits", field="tax_number")
    if number[:2].lower() in vat.MEMBER_STATES:
        try:
            number = vat.validate(number)
        except ValidationError:
            raise Invalid(
                "this VAT number has a wrong digit: its check number does not fit", field="tax_number"
            ) from None
    changes = {"billing_name": name, "billing_address": address, "tax_number": number}
    found, _ = BillingTerms.objects.update_or_create(account=account, defaults=changes)
    return found


def set_tax(*, account: Account, percent: Decimal, label: str, by: str) -> BillingTerms:
    """Charge this tax on the account's fees from the current month on; by operators.

    Raises Invalid for a rate out of range or finer than a hundredth, and for a rate without a name.
    """
    label = label.strip()
    if not percent.is_finite() or float(percent) not in PERCENT or percent != round(percent, 2):
        raise Invalid(f"{PERCENT} percent with at most two decimals are expected", field="percent")
    if len(label) not in LABEL_LENGTH or (percent and not label):
        raise Invalid(f"a tax needs a name of at most {LABEL_LENGTH.longest} characters", field="label")
    with transaction.atomic():
        before = BillingTerms.objects.select_for_update().filter(account=account).first() or BillingTerms(
            account=account
        )
        found, _ = BillingTerms.objects.update_or_create(
            account=account,
            defaults={
                "tax_percent": percent,
                "tax_label": label,
                "taxed_until": before.taxed_until if before.tax_percent else statements.month_of(_today()).first,
            },
        )
        audit.record(account, by=by, because=f"tax on fees: {percent} % {label}, {before.tax_percent} % before")
    return found


def _today() -> date:
    return timezone.now().date()


def charge_taxes(*, now: datetime | None = None) -> int:
    """Book the tax of every month that is over and was not taxed yet; returns how many were booked. Safe to repeat."""
    this = statements.month_of((now or timezone.now()).date())
    booked = 0
    for row in BillingTerms.objects.filter(tax_percent__gt=0, taxed_until__lt=this.first).order_by("pk"):
        booked += _charge_account(row.pk, this)
    return booked


def _charge_account(account_id: int, this: statements.Period) -> int:
    booked = 0
    with transaction.atomic():
        row = BillingTerms.objects.select_for_update(of=("self",)).select_related("account").get(pk=account_id)
        month = statements.month_of(row.taxed_until or this.first)
        while month.first < this.first:
            tax = money.share(statements.fees(row.account, month), row.tax_percent)
            if tax:
                debts.charge(
                    kind=EntryKind.TAX,
                    account=row.account,
                    amount_micros=tax,
                    given_reference=f"{row.pk}:{month.first:%Y-%m}",
                    to=ledger.pocket(LedgerKind.TAXES),
                    by="system",
                    description=f"{row.tax_label} {row.tax_percent.normalize():f} % on the fees of {month.first:%Y-%m}",
                )
                booked += 1
            month = statements.month_of(month.last + timedelta(days=1))
        row.taxed_until = this.first
        row.save(update_fields=["taxed_until"])
    return booked
