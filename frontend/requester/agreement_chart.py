"""The agreement of model and people over time, as JSON for the kit's chart element."""

from typing import Any

from django.utils.translation import gettext, gettext_noop

from labeling.services.review.agreement_record import ALL, CONDITION, SAMPLE, OverTime

SPLIT = {
    ALL: gettext_noop("All loops"),
    SAMPLE: gettext_noop("Random sample of all requests"),
    CONDITION: gettext_noop("Requests that met a condition"),
}
"""Why people were asked, in words."""

UNITS = (gettext_noop("day"), gettext_noop("week"))
"""Periods of OverTime."""


def agreement_chart(found: OverTime) -> dict[str, Any] | None:
    """A line for each reason that has loops, or for all of them together; None before there are two points in time."""
    if len(found.periods) < 2:
        return None
    split = [reason for reason in (SAMPLE, CONDITION) if any(row[reason].loops for _, row in found.periods)] or [ALL]
    series: list[dict[str, Any]] = [
        {"name": gettext(SPLIT[reason]), "points": [[day.isoformat(), row[reason].model] for day, row in found.periods]}
        for reason in split
    ]
    if any(row[ALL].people is not None for _, row in found.periods):
        points = [[day.isoformat(), row[ALL].people] for day, row in found.periods]
        series.append({"name": gettext("People with each other"), "points": points, "dashed": True})
    return {
        "type": "line",
        "title": gettext("Agreement of model and people by {unit}").format(unit=gettext(found.unit)),
        "x": {"label": gettext(found.unit), "format": "date"},
        "y": {"label": gettext("mean IoU of the boxes"), "format": "percent", "min": 0, "max": 1},
        "series": series,
    }
