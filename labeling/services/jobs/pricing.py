"""What a task may cost: Ground Truth's price table for the public pool, free amounts for private teams, the fee.

All money is integer micro-dollars per worker per task. Knows no wallet.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from django.conf import settings

from labeling import redundancy, task_types
from labeling.queries import gold_budget
from labeling.services.golds.options import RATE
from labeling.services.jobs import limits
from marketplace import money
from marketplace.errors import Invalid
from marketplace.models import Account, Contract, Workteam
from marketplace.ranges import Range
from marketplace.services import contracts

MICROS_PER_SECOND = 3_600
"""3.6 cents for ten seconds, Ground Truth's price of a box (8-10 s): 12.96 dollars an hour."""
MOST_MICROS = 2_999_000
"""The largest AmountInUsd: 2 dollars, 99 cents and 9 tenths of a cent."""

STEP = Fraction(1, 10)
"""The share by which a price rises in one step."""

MILL_MICROS = 1_000
"""A tenth of a cent."""

SHARE = Range(0, 1)
"""Of checked objects, and of audited labels."""

WORKERS_ASSUMED = 10
"""People that a duration is estimated with while nobody knows how many there are."""


@dataclass(frozen=True)
class Checks:
    """The `share` of the objects, in 0..1, of which people check a proposed label, at a price of its own."""

    share: float = 0.0
    price_micros: int = 0


NO_CHECKS = Checks()


@dataclass(frozen=True)
class Estimate:
    """What a job will cost and how long it takes. `total_micros` includes `fee_micros`, the platform's share.

    `answers` are without those to golds. `golds_micros`, with its fee, is the part for answers to golds, and
    `checks_micros` that for checks of proposed labels; `per_object_micros` is without golds, and a mean. `audit_micros`
    is the most that the audit of a model's labels costs: that of a model which labels everything. It is no addition to
    the total, which is what people get if they label everything.
    """

    total_micros: int
    fee_micros: int
    golds_micros: int
    checks_micros: int
    audit_micros: int
    answers: int
    per_object_micros: int
    duration_seconds: float


def prices(task_type: str) -> tuple[int, ...]:
    """The prices the public pool may be offered for a task type. Raises Invalid for a type without a table."""
    try:
        return task_types.get(task_type).prices
    except task_types.UnknownTaskType as error:
        raise Invalid(f"there is no price table for {task_type!r}: {error}", field="task_type") from None


def guideline(*, expected_seconds: float, task_type: str) -> int:
    """The table's price nearest above 3.6 cents for each ten seconds; the highest for anything longer."""
    if not expected_seconds > 0:
        raise Invalid("the expected seconds must be above zero", field="expected_seconds")
    fair = ceil(expected_seconds * MICROS_PER_SECOND)
    return next((price for price in prices(task_type) if price >= fair), prices(task_type)[-1])


def check_price(*, price_micros: int, task_type: str, public: bool, panel: bool = False) -> None:
    """Raises Invalid when this is not a price: the public pool has a table, a private team takes 0 to 2.999 dollars.

    A panel takes none: its provider pays.
    """
    if panel and price_micros:
        raise Invalid(
            f"a panel's people are paid by its provider: a price of 0 expected, {money.text(price_micros)} found",
            field="price",
        )
    if not 0 <= price_micros <= MOST_MICROS:
        raise Invalid(
            f"a price is 0 to {money.text(MOST_MICROS)} dollars, {money.text(price_micros)} found", field="price"
        )
    if public and price_micros not in prices(task_type):
        allowed = ", ".join(money.text(price)[:5] for price in prices(task_type))
        raise Invalid(
            f"the public pool is paid one of {allowed} dollars for {task_type}, {money.text(price_micros)} found",
            field="price",
        )


def step_up(price_micros: int, *, task_type: str, public: bool) -> int:
    """The price one step higher: the next listed one for the public pool, else a tenth more in whole tenths of a cent.

    At most MOST_MICROS, or the highest listed price.
    """
    if public:
        return next((price for price in prices(task_type) if price > price_micros), prices(task_type)[-1])
    return min(MOST_MICROS, ceil((price_micros + max(price_micros * STEP, Fraction(1))) / MILL_MICROS) * MILL_MICROS)


def fee(price_micros: int) -> int:
    """The platform's share on top of one paid answer."""
    return money.share(price_micros, settings.PLATFORM_FEE_PERCENT)


def estimate(
    *,
    objects: int,
    workers_per_object: float,
    price_micros: int,
    expected_seconds: float,
    workers: int,
    golds_rate: float = 0,
    checks: Checks = NO_CHECKS,
    audit_share: float = 0,
) -> Estimate:
    """Cost with the fee, and the time `workers` people need who work without a break.

    `workers_per_object` may be a mean, see labeling/redundancy.py; `golds_rate`: percent of the tasks whose answer is
    known; `audit_share`: of the labels of a model, in 0..1. Raises Invalid for a number that is not above zero (a price
    of zero is one), a share out of range, or checks that cost more than labeling.
    """
    numbers = {"objects": objects, "workers_per_object": workers_per_object, "workers": workers}
    wrong = [(name, f"{value} found, at least 1 expected") for name, value in numbers.items() if value < 1]
    if workers_per_object >= 1:
        wrong += limits.workers_errors(workers_per_object)
    if not expected_seconds > 0:
        wrong.append(("expected_seconds", f"{expected_seconds} found, more than 0 expected"))
    if golds_rate not in RATE:
        wrong.append(("golds_rate", f"{golds_rate} found, {RATE} expected"))
    if price_micros < 0:
        wrong.append(("price", "a price cannot be negative"))
    wrong += checks_errors(checks, price_micros)
    if audit_share not in SHARE:
        wrong.append(("audit_share", f"{audit_share} found, {SHARE} expected"))
    if wrong:
        raise Invalid("the job cannot be estimated", errors=wrong)
    ordinary = redundancy.total(objects, *redundancy.split(workers_per_object))
    golds = gold_budget.answers(ordinary, golds_rate / 100)
    answers = ordinary + golds
    checked = redundancy.total(round(objects * checks.share), *redundancy.split(workers_per_object))
    each, each_check = price_micros + fee(price_micros), checks.price_micros + fee(checks.price_micros)
    audited = redundancy.total(ceil(objects * audit_share), *redundancy.split(workers_per_object))
    # A worker answers an object once: with fewer workers than answers per object, each of them answers every object.
    rounds = ceil(answers / workers) if workers >= workers_per_object else objects + ceil(golds / workers)
    return Estimate(
        total_micros=(answers - checked) * each + checked * each_check,
        fee_micros=(answers - checked) * fee(price_micros) + checked * fee(checks.price_micros),
        golds_micros=golds * each,
        checks_micros=checked * each_check,
        audit_micros=audited * each,
        answers=ordinary,
        per_object_micros=round(((ordinary - checked) * each + checked * each_check) / objects),
        duration_seconds=rounds * expected_seconds,
    )


def checks_errors(checks: Checks, price_micros: int) -> list[tuple[str, str]]:
    """What is wrong with them beside this price of labeling: (field, reason)."""
    wrong = []
    if checks.share not in SHARE:
        wrong.append(("checked_share", f"{checks.share} found, {SHARE} expected"))
    if not 0 <= checks.price_micros <= max(price_micros, 0):
        most = money.text(price_micros)
        wrong.append(("check_price", f"0 to {most} dollars expected, the price of labeling"))
    return wrong


def contract_price(*, team: Workteam, requester: Account, task_type: str, price_micros: int) -> tuple[Contract, int]:
    """The live contract with a vendor's team and its price of an answer in micro-dollars, which it fixes.

    `price_micros`: what was asked for, 0 for nothing. Raises NotFound without a live contract, Invalid naming the
    field: task_type where the contract has no price for it, price where it has another one.
    """
    contract = contracts.live_contract(team=team, requester=requester)
    price = contract.prices.get(task_type)
    if price is None:
        raise Invalid(f"the contract with {contract.vendor.name} has no price for {task_type}", field="task_type")
    if price_micros not in (0, price):
        said = f"by the contract it is {money.text(price)} dollars; leave it out or give this one"
        raise Invalid(said, field="price")
    return contract, price
