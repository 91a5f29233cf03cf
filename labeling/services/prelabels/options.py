"""The options of pre-labels: where they come from, what checking is paid, and how many objects are labeled without."""

from typing import TYPE_CHECKING, Any

from labeling.services.jobs import pricing
from labeling.services.prelabels.sources import SOURCES
from labeling.task_types.base import PRICES, TaskType
from labeling.task_types.proposing import CHECK_SHARE, USUAL_BLIND_SHARE, USUAL_LEAST_QUALITY
from marketplace import money
from marketplace.ranges import Range

if TYPE_CHECKING:
    # The design asks this module, and is only read here.
    from labeling.services.jobs.design import Design

BLIND_SHARE = Range(0, 1)
"""The share of the objects with a good pre-label that people label without seeing it, drawn by lot; for types whose
pre-labels are never seen, the share on which they do not count."""

LEAST_QUALITY = Range(0, 1)
"""The expected quality from which on a pre-label is shown."""

LOOP = "loop"
"""The source of pre-labels that a job's own learning loop is."""

NUMBERS: dict[str, tuple[float, Range]] = {
    "blind_share": (USUAL_BLIND_SHARE, BLIND_SHARE),
    "least_quality": (USUAL_LEAST_QUALITY, LEAST_QUALITY),
}
"""The default and the range of each number."""


CHECKS = ("check_price_micros", "least_quality")
"""Options that are about checking, which nobody does where pre-labels count unseen."""


def counts(kind: TaskType[Any, Any]) -> bool:
    """Whether people do not see pre-labels of this type, which count as one more answer."""
    return kind.proposing is not None and kind.proposing.counted


def check_design(design: "Design") -> None:
    """Fill in the defaults; the price of checking becomes a field of the design. Nothing for a job without."""
    given = {name: value for name, value in (design.prelabels or {}).items() if value is not None}
    design.prelabels = given
    if not given:
        return
    source = SOURCES.get(given.get("source", ""))
    if source is None:
        expected = " or ".join(sorted(SOURCES))
        design.wrong("prelabels.source", f"{given.get('source')!r} found, {expected} expected")
        return
    if design.kind is not None and design.kind.proposing is None:
        design.wrong("prelabels.source", f"people cannot check labels of {design.kind.name} that a model proposes")
        return
    counted = design.kind is not None and counts(design.kind)
    for name in CHECKS if counted else ():
        if name in given:
            # Fields have the names that the outside knows.
            field = name.removesuffix("_micros")
            design.wrong(f"prelabels.{field}", f"nobody checks labels of {design.task_type}: the model counts unseen")
            del given[name]
    numbers = {name: number for name, number in NUMBERS.items() if not counted or name not in CHECKS}
    known = {"source", "check_price_micros", *source.takes, *NUMBERS}
    for name in sorted(given.keys() - known):
        design.wrong(f"prelabels.{name}", f"it is no option of pre-labels of the source {given['source']!r}")
    for name in source.takes:
        if not isinstance(given.get(name), str) or not given[name]:
            design.wrong(f"prelabels.{name}", f"a text expected: pre-labels of the source {given['source']!r} need it")
            return
    for name, (usual, allowed) in numbers.items():
        value = given.setdefault(name, usual)
        if value not in allowed:
            design.wrong(f"prelabels.{name}", f"{value!r} found, a number of {allowed} expected")
    for field, reason in source.check(design):
        design.wrong(field, reason)
    if not counted:
        _price(design, given)


def _price(design: "Design", given: dict[str, Any]) -> None:
    """Take the price of checking out of the options, or the usual one."""
    asked = given.pop("check_price_micros", None)
    if design.workteam.is_panel or design.workteam.of_vendor:
        if asked is not None:
            design.wrong(
                "prelabels.check_price", "a panel's provider or the vendor's contract fixes the price: leave it out"
            )
        return
    if isinstance(design.price_micros, bool) or not isinstance(design.price_micros, int):
        return
    price = usual_price(design.price_micros, public=design.public) if asked is None else asked
    if not 0 <= price <= design.price_micros:
        most = money.text(design.price_micros)
        design.wrong("prelabels.check_price", f"0 to {most} dollars expected, the price of labeling")
    elif design.public and price not in PRICES:
        allowed = ", ".join(money.text(one)[:5] for one in PRICES)
        design.wrong("prelabels.check_price", f"the public pool is paid one of {allowed} dollars for checking")
    design.check_price_micros = price


def expected(
    prelabels: dict[str, Any] | None, *, price_micros: int, public: bool, counted: bool = False
) -> pricing.Checks:
    """What is known of the checks of a job before it begins, by the options that were asked for.

    Of a loop nobody knows yet how many of its labels will be good enough to be checked: none is counted. `counted`: the
    type's pre-labels count unseen, so nobody checks.
    """
    if not prelabels or prelabels["source"] == LOOP or counted:
        return pricing.NO_CHECKS
    asked = prelabels.get("check_price_micros")
    price = usual_price(price_micros, public=public) if asked is None else asked
    blind = prelabels.get("blind_share")
    return pricing.Checks(1 - (NUMBERS["blind_share"][0] if blind is None else blind), price)


def usual_price(price_micros: int, *, public: bool) -> int:
    """What checking is paid where nobody says: a third of labeling; for the public pool the listed price below it."""
    share = price_micros // CHECK_SHARE
    if public:
        return max((one for one in PRICES if one <= max(share, PRICES[0])), default=PRICES[0])
    return share - share % pricing.MILL_MICROS or share
