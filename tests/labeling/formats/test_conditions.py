"""Activation conditions: the documented example, every operator, every mistake."""

from __future__ import annotations

import json

import pytest

from labeling.formats.conditions import ConditionsError, Facts, FormKey, evaluate, parse, reasons

MODERATION = "AWS/Rekognition/DetectModerationLabels/Image/V3"
FORMS = "AWS/Textract/AnalyzeDocument/Forms/V1"


def check(kind: str, **parameters: object) -> dict:
    return {"ConditionType": kind, "ConditionParameters": parameters}


def score(name: str = "*", **bounds: object) -> dict:
    return check("PredictionConfidenceCheck", LabelName=name, **bounds)


def result(*nodes: object, facts: Facts, source: str | None = None) -> bool:
    return evaluate(parse(json.dumps({"Conditions": nodes}), source=source), facts)[0]


LOW = Facts("r", labels=(("bee", 40.0), ("wasp", 90.0)))


def test_the_documented_moderation_condition():
    node = check("ModerationLabelConfidenceCheck", ModerationLabelName="Suggestive", ConfidenceLessThan=98)
    assert result(node, facts=Facts("r", labels=(("Suggestive", 97.9),)), source=MODERATION)
    assert not result(node, facts=Facts("r", labels=(("Suggestive", 98.0),)), source=MODERATION)
    assert not result(node, facts=Facts("r", labels=(("Violence", 10.0),)), source=MODERATION)


def test_the_documented_form_condition_with_its_echo():
    tree = parse(
        json.dumps(
            {
                "Conditions": [
                    {
                        "And": [
                            check(
                                "ImportantFormKeyConfidenceCheck",
                                ImportantFormKey="*",
                                KeyValueBlockConfidenceLessThan=60,
                                WordBlockConfidenceLessThan=90,
                            ),
                            check("Sampling", RandomSamplingPercentage=100),
                        ]
                    }
                ]
            }
        ),
        source=FORMS,
    )
    needed, echo = evaluate(tree, Facts("r", form_keys=(FormKey("Name", 50, (95, 80)),)))
    assert needed
    node = echo["Conditions"][0]
    assert node["EvaluationResult"] is True
    assert [child["EvaluationResult"] for child in node["And"]] == [True, True]
    assert node["And"][1]["ConditionParameters"] == {"RandomSamplingPercentage": 100}
    for pair in (FormKey("Name", 61, (80,)), FormKey("Name", 50, (95,)), FormKey("Name", 50)):
        needed, echo = evaluate(tree, Facts("r", form_keys=(pair,)))
        assert not needed and echo["Conditions"][0]["EvaluationResult"] is False


@pytest.mark.parametrize(
    ("operator", "bound", "expected"),
    [
        ("Equals", 40, True),
        ("Equals", 41, False),
        ("LessThan", 40, False),
        ("LessThanEquals", 40, True),
        ("GreaterThan", 40, False),
        ("GreaterThanEquals", 40, True),
    ],
)
def test_operators(operator, bound, expected):
    assert result(score("bee", **{f"Confidence{operator}": bound}), facts=LOW) is expected


def test_several_bounds_must_hold_for_the_same_label():
    between = {"ConfidenceGreaterThan": 50, "ConfidenceLessThan": 80}
    assert not result(score(**between), facts=LOW)
    assert result(score(**between), facts=Facts("r", labels=(("bee", 60.0),)))


def test_the_top_list_is_an_or_and_and_nodes_combine():
    yes, no = score(ConfidenceLessThan=50), score(ConfidenceLessThan=1)
    assert result(no, yes, facts=LOW) and not result(no, no, facts=LOW)
    assert not result({"And": [yes, no]}, facts=LOW) and result({"Or": [no, yes]}, facts=LOW)
    assert result({"And": [yes, {"Or": [no, yes]}]}, facts=LOW)


def test_a_key_is_not_missing_when_an_alias_is_there():
    node = check("MissingImportantFormKey", ImportantFormKey="Name", ImportantFormKeyAliases=["name:", "Full name"])
    assert result(node, facts=Facts("r"), source=FORMS)
    assert not result(node, facts=Facts("r", form_keys=(FormKey("Full name", 1),)), source=FORMS)


def test_sampling_is_the_same_for_the_same_request_and_about_right():
    node = check("Sampling", RandomSamplingPercentage=5)
    chosen = [n for n in range(4000) if result(node, facts=Facts(f"request {n}"))]
    assert 150 < len(chosen) < 250
    assert chosen == [n for n in range(4000) if result(node, facts=Facts(f"request {n}"))]


GOOD = score(ConfidenceLessThan=50)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "HumanLoopActivationConditions: is not valid JSON (line 1, column 1)"),
        ("[]", "HumanLoopActivationConditions: must be an object with the one member 'Conditions'"),
        ('{"Conditions":[]}', "Conditions: must be a list of at least 1"),
        ('{"Conditions":[5]}', "Conditions[0]: must be an object"),
        (
            json.dumps({"Conditions": [{"And": [GOOD]}]}),
            "Conditions[0].And: must be a list of at least 2",
        ),
        (
            json.dumps({"Conditions": [{"And": [GOOD, GOOD], "Or": []}]}),
            "Conditions[0]: 'And' stands alone in its object",
        ),
        (
            json.dumps({"Conditions": [{"And": [GOOD, {"Or": [GOOD, {"And": [GOOD, GOOD]}]}]}]}),
            "Conditions[0].And[1].Or[1]: And/Or may be nested 2 levels deep",
        ),
        (
            json.dumps({"Conditions": [check("Magic")]}),
            "Conditions[0].ConditionType: must be one of PredictionConfidenceCheck, HighestScoreCheck, "
            "PredictionCountCheck, NoPredictionCheck, Sampling, found 'Magic'",
        ),
        (
            json.dumps({"Conditions": [{"ConditionType": "Sampling"}]}),
            "Conditions[0].ConditionParameters: must be an object",
        ),
        (json.dumps({"Conditions": [GOOD | {"x": 1}]}), "Conditions[0]: unknown member 'x'"),
    ],
)
def test_mistakes_in_the_tree_are_named(text, message):
    with pytest.raises(ConditionsError) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (score(), "Conditions[0].ConditionParameters: needs at least one bound such as ConfidenceLessThan"),
        (
            score(ConfidenceLessThan=101),
            "Conditions[0].ConditionParameters.ConfidenceLessThan: must be a number from 0",
        ),
        (score(ConfidenceLessThan=True), "ConfidenceLessThan: must be a number from 0 to 100"),
        (score(ConfidenceLessThan="5"), "ConfidenceLessThan: must be a number from 0 to 100"),
        (score("", ConfidenceLessThan=5), "LabelName: must be a name or '*'"),
        (score(ConfidenceBelow=5, ConfidenceLessThan=5), "ConfidenceBelow: is not a parameter of Prediction"),
        (check("Sampling", RandomSamplingPercentage=0), "RandomSamplingPercentage: must be a number from 0.01 to 100"),
        (check("Sampling", RandomSamplingPercentage=None), "RandomSamplingPercentage: must be a number"),
    ],
)
def test_mistakes_in_parameters_are_named(node, message):
    with pytest.raises(ConditionsError) as caught:
        parse(json.dumps({"Conditions": [node]}))
    assert message in str(caught.value)


def test_each_source_has_its_types_and_aliases_are_texts():
    with pytest.raises(ConditionsError, match="must be one of ModerationLabelConfidenceCheck, Sampling"):
        parse(json.dumps({"Conditions": [GOOD]}), source=MODERATION)
    with pytest.raises(ConditionsError, match="'AWS/Nope' is unknown"):
        parse("{}", source="AWS/Nope")
    node = check("MissingImportantFormKey", ImportantFormKey="a", ImportantFormKeyAliases=[5])
    with pytest.raises(ConditionsError, match="ImportantFormKeyAliases: must be a list of strings"):
        parse(json.dumps({"Conditions": [node]}), source=FORMS)
    with pytest.raises(ConditionsError, match="has more than 10240 characters"):
        parse(" " * 10_241)


NOTHING = Facts("r")


def test_the_highest_score_decides_and_is_zero_without_a_prediction():
    node = check("HighestScoreCheck", ConfidenceLessThan=50)
    assert not result(node, facts=LOW)
    assert result(node, facts=Facts("r", labels=(("bee", 49.9),)))
    assert result(node, facts=NOTHING)


def test_predictions_are_counted_from_a_confidence_on():
    many = Facts("r", labels=(("bee", 90.0), ("bee", 60.0), ("wasp", 55.0), ("bee", 10.0)))
    assert result(check("PredictionCountCheck", LabelName="bee", CountEquals=2), facts=many)
    assert result(check("PredictionCountCheck", LabelName="*", CountGreaterThan=2), facts=many)
    assert result(check("PredictionCountCheck", LabelName="bee", LeastConfidence=5, CountEquals=3), facts=many)
    assert not result(check("PredictionCountCheck", LabelName="*", CountLessThan=3), facts=many)


def test_no_prediction_is_none_that_is_confident_enough():
    assert result(check("NoPredictionCheck", LabelName="*"), facts=NOTHING)
    assert result(check("NoPredictionCheck", LabelName="bee"), facts=LOW)
    assert not result(check("NoPredictionCheck", LabelName="bee", LeastConfidence=30), facts=LOW)
    assert not result(check("NoPredictionCheck", LabelName="*"), facts=LOW)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (check("HighestScoreCheck"), "needs at least one bound such as ConfidenceLessThan"),
        (check("HighestScoreCheck", LabelName="*", ConfidenceLessThan=5), "LabelName: is not a parameter of Highest"),
        (check("PredictionCountCheck", LabelName="*"), "needs at least one bound such as CountLessThan"),
        (
            check("PredictionCountCheck", LabelName="*", CountLessThan=-1),
            "CountLessThan: must be a number from 0",
        ),
        (check("NoPredictionCheck"), "LabelName: must be a name or '*'"),
        (check("NoPredictionCheck", LabelName="*", LeastConfidence=101), "LeastConfidence: must be a number from 0"),
    ],
)
def test_mistakes_in_the_parameters_of_own_models_are_named(node, message):
    with pytest.raises(ConditionsError) as caught:
        parse(json.dumps({"Conditions": [node]}))
    assert message in str(caught.value)


def test_what_is_in_the_sample_is_told_from_what_met_a_condition():
    """A sample of all requests stays one whatever else holds; a part of what met a condition is no such sample."""
    sample, low = check("Sampling", RandomSamplingPercentage=100), score(ConfidenceLessThan=50)
    never = score(ConfidenceLessThan=1)

    def why(*nodes):
        return reasons(evaluate(parse(json.dumps({"Conditions": nodes})), LOW)[1])

    assert why(sample, never) == ("sample",)
    assert why(low, never) == ("condition",)
    assert why(low, sample) == why({"Or": [sample, low]}) == ("condition", "sample")
    assert why({"And": [low, sample]}) == ("condition",)
    assert why({"And": [sample, sample]}) == ("sample",)
    assert why(never) == ()


@pytest.mark.parametrize(
    "found", [None, [], {}, {"Conditions": 5}, {"Conditions": [5, {"And": 5}]}, {"Conditions": {}}]
)
def test_what_is_no_evaluation_gives_no_reason(found):
    assert reasons(found) == ()
