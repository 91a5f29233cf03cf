"""When a prediction needs a person: A2I's activation conditions, checked when a flow is made and evaluated later.

The top list is an OR; `And`/`Or` nodes hold two or more, nested at most two levels. Beyond AWS's types there are those
of own models, in the same grammar: AWS has no schema for them. It must not know more of a prediction than names and
confidences.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeGuard

import orjson

MAX_LENGTH = 10_240
MAX_NESTING = 2
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda score, bound: score == bound,
    "LessThan": lambda score, bound: score < bound,
    "LessThanEquals": lambda score, bound: score <= bound,
    "GreaterThan": lambda score, bound: score > bound,
    "GreaterThanEquals": lambda score, bound: score >= bound,
}
_SOURCE_TYPES = {
    "AWS/Rekognition/DetectModerationLabels/Image/V3": ("ModerationLabelConfidenceCheck", "Sampling"),
    "AWS/Textract/AnalyzeDocument/Forms/V1": (
        "ImportantFormKeyConfidenceCheck",
        "MissingImportantFormKey",
        "Sampling",
    ),
    None: ("PredictionConfidenceCheck", "HighestScoreCheck", "PredictionCountCheck", "NoPredictionCheck", "Sampling"),
}
SOURCES = tuple(_SOURCE_TYPES)
"""What conditions may be about: AwsManagedHumanLoopRequestSource, None for own models."""


class ConditionsError(ValueError):
    """What is wrong with the conditions and where, e.g. 'Conditions[1].And[0].ConditionType: ...'."""

    def __init__(self, field_name: str, problem: str) -> None:
        super().__init__(f"{field_name}: {problem}")
        self.field = field_name
        self.problem = problem


@dataclass(frozen=True, slots=True)
class FormKey:
    """One key-value pair found in a document, scores 0-100; `words` are the scores of its word blocks."""

    key: str
    confidence: float
    words: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the model said. Scores are 0-100. `identity` names the request: equal requests are sampled alike."""

    identity: str
    labels: tuple[tuple[str, float], ...] = ()
    form_keys: tuple[FormKey, ...] = field(default=())


# --- checking ------------------------------------------------------------------------------------------------------


def parse(text: str, *, source: str | None = None) -> dict[str, Any]:
    """The conditions as a checked tree; `source` is the AwsManagedHumanLoopRequestSource, None for own models.

    Raises ConditionsError naming the node.
    """
    if len(text) > MAX_LENGTH:
        raise ConditionsError("HumanLoopActivationConditions", f"has more than {MAX_LENGTH} characters")
    if source not in _SOURCE_TYPES:
        raise ConditionsError("AwsManagedHumanLoopRequestSource", f"{source!r} is unknown")
    try:
        tree = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ConditionsError("HumanLoopActivationConditions", f"is not valid JSON ({where})") from None
    if not isinstance(tree, dict) or set(tree) != {"Conditions"}:
        raise ConditionsError("HumanLoopActivationConditions", "must be an object with the one member 'Conditions'")
    nodes = _list(tree["Conditions"], "Conditions", at_least=1)
    for place, node in enumerate(nodes):
        _check(node, f"Conditions[{place}]", _SOURCE_TYPES[source], depth=0)
    return tree


def _list(value: Any, where: str, *, at_least: int) -> list[Any]:
    if not isinstance(value, list) or len(value) < at_least:
        raise ConditionsError(where, f"must be a list of at least {at_least}")
    return value


def _check(node: Any, where: str, allowed: tuple[str, ...], depth: int) -> None:
    if not isinstance(node, dict):
        raise ConditionsError(where, "must be an object")
    for word in ("And", "Or"):
        if word in node:
            if set(node) != {word}:
                raise ConditionsError(where, f"{word!r} stands alone in its object")
            if depth >= MAX_NESTING:
                raise ConditionsError(where, f"And/Or may be nested {MAX_NESTING} levels deep")
            for place, child in enumerate(_list(node[word], f"{where}.{word}", at_least=2)):
                _check(child, f"{where}.{word}[{place}]", allowed, depth + 1)
            return
    unknown = sorted(set(node) - {"ConditionType", "ConditionParameters"})
    if unknown:
        raise ConditionsError(where, f"unknown member {unknown[0]!r}")
    kind = node.get("ConditionType")
    if kind not in allowed:
        raise ConditionsError(f"{where}.ConditionType", f"must be one of {', '.join(allowed)}, found {kind!r}")
    parameters = node.get("ConditionParameters")
    if not isinstance(parameters, dict):
        raise ConditionsError(f"{where}.ConditionParameters", "must be an object")
    _check_parameters(kind, parameters, f"{where}.ConditionParameters")


DEFAULT_LEAST_CONFIDENCE = 50
"""From which confidence a prediction is counted where LeastConfidence is left out."""


@dataclass(frozen=True, slots=True)
class _Parameters:
    """What a type takes: a `name` that is needed, bounds with `prefixes`, of which one is needed, up to `highest`.

    `least`: whether it takes LeastConfidence.
    """

    name: str = ""
    prefixes: tuple[str, ...] = ()
    highest: int = 100
    least: bool = False


_TYPES = {
    "ModerationLabelConfidenceCheck": _Parameters("ModerationLabelName", ("Confidence",)),
    "PredictionConfidenceCheck": _Parameters("LabelName", ("Confidence",)),
    "HighestScoreCheck": _Parameters(prefixes=("Confidence",)),
    "PredictionCountCheck": _Parameters("LabelName", ("Count",), highest=1_000_000, least=True),
    "NoPredictionCheck": _Parameters("LabelName", least=True),
    "ImportantFormKeyConfidenceCheck": _Parameters(
        "ImportantFormKey", ("KeyValueBlockConfidence", "WordBlockConfidence")
    ),
    "MissingImportantFormKey": _Parameters("ImportantFormKey"),
}


def _check_parameters(kind: str, parameters: dict[str, Any], where: str) -> None:
    if kind == "Sampling":
        known = {"RandomSamplingPercentage"}
        share = parameters.get("RandomSamplingPercentage")
        if not _is_number(share) or not 0.01 <= share <= 100:
            raise ConditionsError(f"{where}.RandomSamplingPercentage", "must be a number from 0.01 to 100")
    else:
        known = _check_bounds(_TYPES[kind], parameters, where)
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise ConditionsError(f"{where}.{unknown[0]}", f"is not a parameter of {kind}")


def _check_bounds(expected: _Parameters, parameters: dict[str, Any], where: str) -> set[str]:
    """The parameters that a type may have. Raises ConditionsError for those that are there and wrong."""
    name = expected.name
    operators = {prefix + operator for prefix in expected.prefixes for operator in _OPERATORS}
    known = operators | ({name} if name else set()) | ({"LeastConfidence"} if expected.least else set())
    if name and (not isinstance(parameters.get(name), str) or not parameters[name]):
        raise ConditionsError(f"{where}.{name}", "must be a name or '*'")
    if name == "ImportantFormKey":
        known.add("ImportantFormKeyAliases")
        aliases = parameters.get("ImportantFormKeyAliases", [])
        if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
            raise ConditionsError(f"{where}.ImportantFormKeyAliases", "must be a list of strings")
    for operator in sorted(operators & set(parameters)):
        if not _is_number(parameters[operator]) or not 0 <= parameters[operator] <= expected.highest:
            raise ConditionsError(f"{where}.{operator}", f"must be a number from 0 to {expected.highest:,}")
    least = parameters.get("LeastConfidence", DEFAULT_LEAST_CONFIDENCE)
    if expected.least and (not _is_number(least) or not 0 <= least <= 100):
        raise ConditionsError(f"{where}.LeastConfidence", "must be a number from 0 to 100")
    if operators and not operators & set(parameters):
        raise ConditionsError(where, f"needs at least one bound such as {expected.prefixes[0]}LessThan")
    return known


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# --- evaluating ----------------------------------------------------------------------------------------------------


def evaluate(tree: Mapping[str, Any], facts: Facts) -> tuple[bool, dict[str, Any]]:
    """(whether a person is needed, the tree with 'EvaluationResult' on every node) for a tree from `parse`."""
    echoed = [_evaluate(node, facts) for node in tree["Conditions"]]
    return any(node["EvaluationResult"] for node in echoed), {"Conditions": echoed}


def _evaluate(node: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    for word, combine in (("And", all), ("Or", any)):
        if word in node:
            children = [_evaluate(child, facts) for child in node[word]]
            return {word: children, "EvaluationResult": combine(child["EvaluationResult"] for child in children)}
    holds = _HOLDS[node["ConditionType"]](node["ConditionParameters"], facts)
    return dict(node) | {"EvaluationResult": holds}


def _label_check(name: str) -> Callable[[Mapping[str, Any], Facts], bool]:
    def holds(parameters: Mapping[str, Any], facts: Facts) -> bool:
        wanted = parameters[name]
        return any(_within(parameters, "Confidence", score) for label, score in facts.labels if wanted in ("*", label))

    return holds


def _within(parameters: Mapping[str, Any], prefix: str, score: float) -> bool:
    """Every bound that is given holds; true when none is given."""
    return all(
        compare(score, parameters[prefix + operator])
        for operator, compare in _OPERATORS.items()
        if prefix + operator in parameters
    )


def _form_key_check(parameters: Mapping[str, Any], facts: Facts) -> bool:
    """A matching pair within the pair's bounds and, when words are bounded too, with a word block within those."""
    bounds_words = any("WordBlockConfidence" + operator in parameters for operator in _OPERATORS)
    return any(
        _within(parameters, "KeyValueBlockConfidence", pair.confidence)
        and (not bounds_words or any(_within(parameters, "WordBlockConfidence", word) for word in pair.words))
        for pair in _matching(parameters, facts.form_keys)
    )


def _missing_form_key(parameters: Mapping[str, Any], facts: Facts) -> bool:
    return not any(True for _ in _matching(parameters, facts.form_keys))


def _matching(parameters: Mapping[str, Any], pairs: Iterable[FormKey]) -> Iterable[FormKey]:
    names = {parameters["ImportantFormKey"], *parameters.get("ImportantFormKeyAliases", [])}
    return (pair for pair in pairs if "*" in names or pair.key in names)


def _sampled(parameters: Mapping[str, Any], facts: Facts) -> bool:
    share = parameters["RandomSamplingPercentage"]
    coin = int.from_bytes(blake2b(facts.identity.encode(), digest_size=8, person=b"sampling").digest(), "big")
    return coin < share / 100 * 2**64


def _highest_score(parameters: Mapping[str, Any], facts: Facts) -> bool:
    """Without any prediction the highest score is 0; AWS's notebook asks people where `max(score) < 0.5`."""
    return _within(parameters, "Confidence", max((score for _, score in facts.labels), default=0.0))


def _count(parameters: Mapping[str, Any], facts: Facts) -> int:
    """The predictions of the label with at least that confidence."""
    wanted, least = parameters["LabelName"], parameters.get("LeastConfidence", DEFAULT_LEAST_CONFIDENCE)
    return sum(score >= least for label, score in facts.labels if wanted in ("*", label))


_HOLDS: dict[str, Callable[[Mapping[str, Any], Facts], bool]] = {
    "ModerationLabelConfidenceCheck": _label_check("ModerationLabelName"),
    "PredictionConfidenceCheck": _label_check("LabelName"),
    "HighestScoreCheck": _highest_score,
    "PredictionCountCheck": lambda parameters, facts: _within(parameters, "Count", _count(parameters, facts)),
    "NoPredictionCheck": lambda parameters, facts: _count(parameters, facts) == 0,
    "ImportantFormKeyConfidenceCheck": _form_key_check,
    "MissingImportantFormKey": _missing_form_key,
    "Sampling": _sampled,
}


# --- why -----------------------------------------------------------------------------------------------------------

BY_CONDITION, BY_SAMPLE = "condition", "sample"


def reasons(results: Any) -> tuple[str, ...]:
    """Why people were asked, by evaluated conditions (see `evaluate`): BY_CONDITION, BY_SAMPLE, both, or neither.

    Whoever is in a random sample of all requests is so whatever else holds, so that the sample stays one. A Sampling
    beside another check in an And draws from what that check lets through, which is a condition. `results` that are no
    evaluated conditions give none.
    """
    nodes = results.get("Conditions") if isinstance(results, Mapping) else None
    found = set().union(*(_reasons(node) for node in nodes)) if isinstance(nodes, list) else set()
    return tuple(reason for reason in (BY_CONDITION, BY_SAMPLE) if reason in found)


def _reasons(node: Any, depth: int = 0) -> set[str]:
    if not isinstance(node, Mapping) or node.get("EvaluationResult") is not True or depth > MAX_NESTING:
        return set()
    for word in ("And", "Or"):
        children = node.get(word)
        if isinstance(children, list):
            found: set[str] = set().union(*(_reasons(child, depth + 1) for child in children))
            return {BY_CONDITION} if word == "And" and BY_CONDITION in found else found
    return {BY_SAMPLE} if node.get("ConditionType") == "Sampling" else {BY_CONDITION}


def chosen(results: Mapping[str, Any], facts: Facts) -> frozenset[int] | None:
    """The places of the labels, or of the form keys, that made evaluated conditions hold; None where none was named."""
    found = {place for node in results["Conditions"] for place in _chosen(node, facts)}
    return frozenset(found) or None


def _chosen(node: Mapping[str, Any], facts: Facts) -> set[int]:
    if not node["EvaluationResult"]:
        return set()
    for word in ("And", "Or"):
        if word in node:
            return {place for child in node[word] for place in _chosen(child, facts)}
    kind, parameters = node["ConditionType"], node["ConditionParameters"]
    holds = _HOLDS[kind]
    if kind in ("ModerationLabelConfidenceCheck", "PredictionConfidenceCheck"):
        return {place for place, label in enumerate(facts.labels) if holds(parameters, Facts("", labels=(label,)))}
    if kind == "ImportantFormKeyConfidenceCheck":
        return {place for place, key in enumerate(facts.form_keys) if holds(parameters, Facts("", form_keys=(key,)))}
    return set()
