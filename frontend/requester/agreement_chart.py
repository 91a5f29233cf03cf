"""The agreement of model and people over time, as JSON for the kit's chart element."""

from typing import Any

from labeling.services.review.agreement_record import ALL, CONDITION, SAMPLE, OverTime

SPLIT = {ALL: "All loops", SAMPLE: "Random sample of all requests", CONDITION: "Requests that met a condition"}
"""Why people were asked, in words."""


def agreement_chart(found: OverTime) -> dict[str, Any] | None:
    """A line for each reason that has loops, or for all of them together; None before there are two points in time."""
    if len(found.periods) < 2:
        return None
    split = [reason for reason in (SAMPLE, CONDITION) if any(row[reason].loops for _, row in found.periods)] or [ALL]
    series: list[dict[str, Any]] = [
        {"name": SPLIT[reason], "points": [[day.isoformat(), row[reason].model] for day, row in found.periods]}
        for reason in split
    ]
    if any(row[ALL].people is not None for _, row in found.periods):
        points = [[day.isoformat(), row[ALL].people] for day, row in found.periods]
        series.append({"name": "People with each other", "points": points, "dashed": True})
    return {
        "type": "line",
        "title": f"Agreement of model and people by {found.unit}",
        "x": {"label": found.unit, "format": "date"},
        "y": {"label": "mean IoU of the boxes", "format": "percent", "min": 0, "max": 1},
        "series": series,
    }
