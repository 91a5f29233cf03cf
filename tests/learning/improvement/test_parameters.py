"""The parameters of a policy: AWS's names, defaults and ranges; changed at once, each change audited."""

import pytest

from learning.services.improvement import creating, parameters
from marketplace.errors import Invalid
from marketplace.models import AuditEvent
from tests.learning.improvement.stories import a_policy


def test_the_defaults_are_those_of_the_solution():
    assert parameters.DEFAULTS == {
        "Enable-Automatic-Training": True,
        "Automatic-Training-Poll-Frequency": 720,
        "Minimum-Untrained-Images": 10,
        "Minimum-F1-Score": 0.8,
        "Minimum-Inference-Units": 1,
        "Minimum-Label-Detection-Confidence": 70.0,
        "Enable-A2I-Workflow": True,
        "Enable-Automatic-Human-Sampling": True,
        "Automatic-Human-Sampling-Frequency": 720,
        "Human-Sampling-Interval": 1000,
    }


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("Minimum-F1-Score", 1.1, "1.1 found, a number from 0 to 1 expected"),
        ("Minimum-F1-Score", True, "True found"),
        ("Minimum-F1-Score", float("nan"), "nan found"),
        ("Minimum-Inference-Units", 6, "a whole number from 1 to 5"),
        ("Minimum-Inference-Units", 1.5, "1.5 found, a whole number"),
        ("Enable-A2I-Workflow", "yes", "'yes' found, true or false expected"),
        ("Automatic-Training-Poll-Frequency", 0, "0 found"),
        ("Minimum-F2-Score", 1, "is not known; there are Enable-Automatic-Training"),
    ],
)
def test_a_wrong_parameter_is_named(name, value, problem):
    with pytest.raises(Invalid) as refused:
        parameters.parse({name: value, "Minimum-Untrained-Images": 5})
    ((field, said),) = refused.value.errors
    assert field == f"parameters.{name}" and problem in said


@pytest.mark.django_db
def test_a_change_holds_at_once_and_is_recorded_with_both_values():
    policy = a_policy()
    before = AuditEvent.objects.count()
    creating.change_parameters(policy=policy, given={"Minimum-F1-Score": 0.7, "Enable-A2I-Workflow": True}, by="user:7")
    assert policy.parameters["Minimum-F1-Score"] == 0.7
    (event,) = AuditEvent.objects.order_by("pk")[before:]
    assert (event.by, event.because) == ("user:7", "Minimum-F1-Score: 0.8 to 0.7")
    with pytest.raises(Invalid):
        creating.change_parameters(policy=policy, given={"Minimum-F1-Score": 0.5, "Enable-A2I-Workflow": 1}, by="x")
    policy.refresh_from_db()
    assert policy.parameters["Minimum-F1-Score"] == 0.7 and AuditEvent.objects.count() == before + 1
