"""What work asks of workers beside belonging to a group: a qualification, and which values of it will do.

Knows the words and the rules of a requirement. Whether a worker meets it is decided by the SQL function
marketplace_refusal; audiences hold requirements (eligibility.py).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.errors import Invalid
from marketplace.models import Account, ActionsGuarded, AudienceRequirement, Comparator, QualificationType
from marketplace.ranges import Range

REQUIREMENTS = Range(0, 10)
"""Requirements of one job; Mechanical Turk has the same limit."""

VALUES = Range(1, 15)
"""Values of In and NotIn."""

VALUE = Range(0, 2**31 - 1)
"""Values of qualifications."""

HEAD_START_MINUTES = Range(1, 7 * 24 * 60)
"""How long preferred workers have new work to themselves."""

WITHOUT_VALUES = frozenset({Comparator.EXISTS, Comparator.DOES_NOT_EXIST})
WITH_SEVERAL = frozenset({Comparator.IN, Comparator.NOT_IN})

FIELD = "qualification_requirements"
"""Of a job's design: a list of these."""

SIGNS = {
    Comparator.EXISTS: "",
    Comparator.DOES_NOT_EXIST: "not to be held",
    Comparator.EQUAL_TO: "=",
    Comparator.NOT_EQUAL_TO: "not",
    Comparator.LESS_THAN: "below",
    Comparator.LESS_THAN_OR_EQUAL_TO: "at most",
    Comparator.GREATER_THAN: "above",
    Comparator.GREATER_THAN_OR_EQUAL_TO: "at least",
    Comparator.IN: "one of",
    Comparator.NOT_IN: "none of",
}


@dataclass(frozen=True)
class Requirement:
    """One requirement. With `head_start_minutes` it is preferred: who meets it sees the work so much earlier."""

    qualification_type_id: int
    comparator: str = Comparator.EXISTS
    integer_values: tuple[int, ...] = ()
    actions_guarded: str = ActionsGuarded.ACCEPT
    head_start_minutes: int | None = None

    def row(self) -> dict[str, Any]:
        """The columns of AudienceRequirement."""
        return {**vars(self), "integer_values": list(self.integer_values)}


def of_row(row: AudienceRequirement) -> Requirement:
    """The requirement that a row holds, whether its head start has begun or not."""
    return Requirement(
        row.qualification_type_id,
        row.comparator,
        tuple(row.integer_values),
        row.actions_guarded,
        row.head_start_minutes,
    )


def of_audience(audience_id: int) -> list[AudienceRequirement]:
    """What the audience asks, with the types, in its order."""
    rows = AudienceRequirement.objects.filter(audience=audience_id).select_related("qualification_type")
    return list(rows.order_by("place"))


def digest(requirements: Iterable[Requirement]) -> str:
    """A short text that is the same for the same requirements in the same order, and for no others."""
    written = json.dumps([one.row() for one in requirements], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()[:40]


def read(account: Account, given: Sequence[Mapping[str, Any]]) -> list[Requirement]:
    """The requirements that an account asks for; each mapping has the keys of Requirement, the type's key under
    `qualification_type`. Raises Invalid naming every field that is wrong, such as
    "qualification_requirements[0].comparator".
    """
    if len(given) not in REQUIREMENTS:
        raise Invalid(f"{len(given)} found, {REQUIREMENTS} requirements expected", field=FIELD)
    keys = {key for one in given if isinstance(key := one.get("qualification_type"), int)}
    types = {row.pk: row for row in usable_types(account).filter(pk__in=keys)}
    errors: list[tuple[str, str]] = []
    made = []
    for place, one in enumerate(given):
        found = of_mapping(one)
        errors += [(f"{FIELD}[{place}].{name}", reason) for name, reason in _wrong(found, types)]
        made.append(found)
    if errors:
        raise Invalid("the qualification requirements are wrong", errors=errors)
    return made


def of_mapping(given: Mapping[str, Any]) -> Requirement:
    """The requirement that a mapping stands for, see `read`; nothing is checked."""
    return Requirement(
        given.get("qualification_type", 0),
        given.get("comparator", Comparator.EXISTS),
        tuple(given.get("integer_values") or ()),
        given.get("actions_guarded", ActionsGuarded.ACCEPT),
        given.get("head_start_minutes"),
    )


def usable_types(account: Account) -> Any:
    """The qualification types that jobs of the account may require: its own and the operator's, if Active."""
    own = QualificationType.objects.filter(account=account) | QualificationType.objects.filter(account=None)
    return own.filter(status="Active").order_by("name", "pk")


def _wrong(found: Requirement, types: Mapping[int, QualificationType]) -> Iterable[tuple[str, str]]:
    if found.qualification_type_id not in types:
        yield "qualification_type", f"there is no active qualification type {found.qualification_type_id}"
    if found.comparator not in Comparator.values:
        yield "comparator", f"{found.comparator!r} found, one of {', '.join(Comparator.values)} expected"
        return
    count = len(found.integer_values)
    allowed = VALUES if found.comparator in WITH_SEVERAL else Range(1, 1)
    if found.comparator in WITHOUT_VALUES and count:
        yield "integer_values", f"{found.comparator} takes no values, {count} found"
    elif found.comparator not in WITHOUT_VALUES and count not in allowed:
        number = "one value" if allowed.low == allowed.high else f"{allowed} values"
        yield "integer_values", f"{found.comparator} takes {number}, {count} found"
    for value in found.integer_values:
        if not isinstance(value, int) or value not in VALUE:
            yield "integer_values", f"{value!r} found, whole numbers of {VALUE} expected"
    if found.actions_guarded not in ActionsGuarded.values:
        expected = " or ".join(ActionsGuarded.values)
        yield "actions_guarded", f"{found.actions_guarded!r} found, {expected} expected"
    minutes = found.head_start_minutes
    if minutes is not None and (not isinstance(minutes, int) or minutes not in HEAD_START_MINUTES):
        yield "head_start_minutes", f"{minutes!r} found, a whole number of {HEAD_START_MINUTES} expected"


def in_words(name: str, asked: Requirement | AudienceRequirement) -> str:
    """A requirement of the type `name` as pages show it: "Bees, at least 80"."""
    sign, values = SIGNS[Comparator(asked.comparator)], ", ".join(map(str, asked.integer_values))
    said = ", ".join(part for part in (name, f"{sign} {values}".strip()) if part)
    if asked.head_start_minutes is not None:
        said += f" (preferred: {asked.head_start_minutes} minutes ahead of the others)"
    return said


def said(rows: Iterable[AudienceRequirement]) -> list[str]:
    """The requirements of an audience in words; their types are loaded."""
    return [in_words(row.qualification_type.name, row) for row in rows]
