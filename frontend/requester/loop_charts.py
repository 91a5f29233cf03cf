"""The charts of a learning loop, as JSON for the kit's chart element. Reads the loop's view, never its tables."""

from typing import Any

from django.utils.translation import gettext

Chart = dict[str, Any]


def charts(view: dict[str, Any]) -> list[Chart]:
    """Every chart that has something to show: learning curves, who labeled what, risk or quality by cut-off."""
    rounds = view["rounds"]
    made = (
        learning_curve(view),
        learning_by_boxes(view),
        labeled_by_round(rounds),
        promise(view),
        risk_curve(view) or threshold_curve(view),
    )
    return [chart for chart in made if chart]


def _points(rounds: list[dict[str, Any]], key: str, x: str = "human_labels") -> list[list[float]]:
    figures = [row["figures"] for row in rounds]
    return [[f[x], f[key]] for f in figures if f.get(x) is not None and f.get(key) is not None]


def learning_curve(view: dict[str, Any]) -> Chart | None:
    """The model's quality on the validation split against the labels people had given."""
    rounds = view["rounds"]
    best, strict = _points(rounds, view["metric"]), _points(rounds, "mAP")
    if not best:
        return None
    series: list[Chart] = [{"name": gettext(view["metric_title"]), "points": best}]
    if strict:
        series.append({"name": gettext("mAP at IoU 0.5 to 0.95"), "points": strict, "dashed": True})
    return {
        "type": "line",
        "title": gettext("Learning curve"),
        "x": {"label": gettext("objects labeled by people"), "min": 0},
        "y": {"label": gettext("on the validation split"), "min": 0, "max": 1, "format": "percent"},
        "series": series,
    }


def learning_by_boxes(view: dict[str, Any]) -> Chart | None:
    """The model's quality against the boxes that people had drawn: what drawing costs goes with these."""
    points = _points(view["rounds"], view["metric"], "human_boxes")
    if not points:
        return None
    return {
        "type": "line",
        "title": gettext("Learning curve by boxes drawn"),
        "x": {"label": gettext("boxes drawn by people"), "min": 0},
        "y": {"label": gettext("on the validation split"), "min": 0, "max": 1, "format": "percent"},
        "series": [{"name": gettext(view["metric_title"]), "points": points}],
    }


def _round(row: dict[str, Any]) -> str:
    return gettext("Round {number}").format(number=row["number"])


def _at_start(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def labeled_by_round(rounds: list[dict[str, Any]]) -> Chart | None:
    """How many objects people and the machine labeled in each round."""
    done = [row for row in rounds if row["figures"].get("counters")]
    if not done:
        return None
    machine = [[_round(row), row["figures"].get("auto_labeled", 0)] for row in done]
    people = [[_round(row), row["objects"]] for row in done]
    return {
        "type": "bar",
        "title": gettext("Who labeled what"),
        "stacked": True,
        "x": {"label": ""},
        "y": {"label": gettext("objects"), "min": 0},
        "series": [
            {"name": gettext("People"), "points": people, "color": "human"},
            {"name": gettext("Machine"), "points": machine, "color": "machine"},
        ],
    }


def promise(view: dict[str, Any]) -> Chart | None:
    """The quality of all machine labels so far and its lower bound, against what is promised, by round."""
    judged = [(row["number"], row["figures"]["machine"]) for row in view["rounds"] if row["figures"].get("machine")]
    judged = [(number, machine) for number, machine in judged if machine.get("quality") is not None]
    if not judged:
        return None
    return {
        "type": "line",
        "title": gettext("Quality of the machine's labels"),
        "x": {"label": gettext("round")},
        "y": {"label": gettext(view["measure"]), "min": 0, "max": 1},
        "series": [
            {"name": gettext("Expected"), "points": [[f"{n}", m["quality"]] for n, m in judged], "color": "machine"},
            {"name": gettext("Lower bound"), "points": [[f"{n}", m["lower_bound"]] for n, m in judged], "dashed": True},
        ],
        "marks": _promised(view),
    }


def _promised(view: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"label": gettext("promised"), "y": view["target_quality"]}] if view["target_quality"] else []


def risk_curve(view: dict[str, Any]) -> Chart | None:
    """The share of wrong labels, and its upper bound, by the share of objects that the model would label.

    None where the newest round that has a curve says nothing of risks.
    """
    row = next((row for row in reversed(view["rounds"]) if row["curve"]), None)
    if row is None or any(point.get("risk") is None for point in row["curve"]):
        return None
    points = sorted(row["curve"], key=lambda point: point["coverage"])
    marks: list[dict[str, Any]] = [{"label": gettext("chosen"), "x": p["coverage"]} for p in points if p.get("chosen")]
    if view.get("target_error"):
        marks.append({"label": gettext("promised"), "y": view["target_error"]})
    bound = [[p["coverage"], p["upper"]] for p in points if p.get("upper") is not None]
    return {
        "type": "line",
        "title": gettext("Risk against coverage, round {number}").format(number=row["number"]),
        "x": {"label": gettext("share of objects labeled by the model"), "min": 0, "max": 1, "format": "percent"},
        "y": {"label": gettext("wrong labels"), "min": 0, "format": "percent"},
        "series": [
            {"name": gettext("Wrong on the validation split"), "points": [[p["coverage"], p["risk"]] for p in points]},
            *([{"name": gettext("Upper bound"), "points": bound, "dashed": True, "color": "machine"}] if bound else []),
        ],
        "marks": marks,
    }


def threshold_curve(view: dict[str, Any]) -> Chart | None:
    """What each cut-off would have meant on the validation split of the newest round that has a model."""
    row = next((row for row in reversed(view["rounds"]) if row["curve"]), None)
    if row is None:
        return None
    marks = _promised(view)
    if row["threshold"] is not None:
        marks.append({"label": gettext("cut-off"), "x": row["threshold"]})
    points = sorted(row["curve"], key=lambda point: point["threshold"])
    return {
        "type": "line",
        "title": gettext("Cut-off against quality, round {number}").format(number=row["number"]),
        "x": {"label": gettext("objects with at least this expected quality")},
        "y": {"label": gettext("validation split"), "min": 0, "max": 1},
        "series": [
            {
                "name": gettext("{measure} of their labels").format(measure=_at_start(gettext(view["measure"]))),
                "points": [[p["threshold"], p["quality"]] for p in points],
            },
            {
                "name": gettext("Share of objects that pass"),
                "points": [[p["threshold"], p["coverage"]] for p in points],
                "dashed": True,
                "color": "machine",
            },
        ],
        "marks": marks,
    }
