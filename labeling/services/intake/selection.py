"""Which lines of a manifest are selected: all, a random percentage, or those that meet a condition.

One set of rules for data sets and labeling jobs. Knows neither.
"""

from collections.abc import Sequence
from typing import Any

from labeling.formats.selection_query import QueryError, compile_where
from marketplace import strict
from marketplace.errors import Invalid
from marketplace.ranges import Range

KINDS = ("full", "random", "filter")
LIKELY_WRONG = "likely-wrong"
JOB_KINDS = (*KINDS, LIKELY_WRONG)
"""Of a job that begins with the output of another one: the labels that are most likely wrong first, or only those."""

COUNT = Range(1, 10_000_000)
"""Of labels that are likely wrong."""

PERCENT = Range(0.0001, 100)
"""Of a random sample; the smallest is one object in a million."""

SEED = strict.INT64
"""Of a random sample: the same seed selects the same lines."""

CONDITION_LENGTH = Range(1, 2_000)
"""Characters of a condition, which are parsed."""


def check_selection(selection: dict[str, Any] | None, *, kinds: Sequence[str] = KINDS) -> dict[str, Any]:
    """The selection, of one of the kinds, with its defaults.

    Raises Invalid that names the field and, for a condition, the position.
    """
    selection = dict(selection or {"kind": "full"})
    kind = selection.get("kind")
    if kind == "random":
        percent = selection.get("percent")
        if percent not in PERCENT:
            raise Invalid(f"{percent!r} found, {PERCENT} expected", field="percent")
        seed = selection.get("seed") or 0
        if not isinstance(seed, int) or seed not in SEED:
            raise Invalid(f"{seed!r} found, a whole number expected", field="seed")
        return {"kind": "random", "percent": percent, "seed": seed}
    if kind == "filter":
        where = str(selection.get("where") or "").strip()
        if len(where) not in CONDITION_LENGTH:
            raise Invalid(
                f"{len(where):,} characters found, a condition of {CONDITION_LENGTH} characters expected", field="where"
            )
        try:
            compile_where(selection["where"])
        except QueryError as error:
            raise Invalid(str(error), field="where") from None
        return {"kind": "filter", "where": selection["where"]}
    if kind == LIKELY_WRONG and kind in kinds:
        count = selection.get("count")
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count not in COUNT):
            raise Invalid(f"{count!r} found, a whole number of {COUNT} expected", field="count")
        return {"kind": LIKELY_WRONG, "count": count}
    if kind != "full":
        raise Invalid(f"{kind!r} found, {', '.join(kinds)} expected", field="selection")
    return {"kind": "full"}
