"""Drift: new images against training images, told once for each time that it begins."""

import numpy as np
import pytest

from learning.models import Detection
from learning.services.improvement import drifting, features
from marketplace.models import Notice
from tests.learning.improvement.stories import a_policy, drop, seen

pytestmark = pytest.mark.django_db


def rows(rng, count, brightness):
    table = rng.normal(1.0, 0.1, size=(count, len(features.FEATURES)))
    table[:, 0] = rng.normal(brightness, 0.05, size=count)
    return table


def told(policy):
    return Notice.objects.filter(subject_id=policy.pk, text__contains="differ from the training images").count()


def test_a_drift_is_told_once_until_it_is_over():
    policy, rng = a_policy(), np.random.default_rng(4)
    reference = rows(rng, 60, 0.5)
    drifting.judge(policy, reference, rows(rng, 60, 0.5))
    assert policy.drifting_since is None and policy.drift["incoming"] == 60
    for _ in range(2):
        drifting.judge(policy, reference, rows(rng, 60, 0.8))
        assert policy.drifting_since is not None
    (brightness, *others) = policy.drift["features"]
    assert brightness["drifts"] and brightness["feature"] == "brightness" and not any(o["drifts"] for o in others)
    assert told(policy) == 1
    assert "brightness is 0.7" in Notice.objects.latest("pk").text
    drifting.judge(policy, reference, rows(rng, 60, 0.5))
    assert policy.drifting_since is None
    drifting.judge(policy, reference, rows(rng, 60, 0.8))
    assert told(policy) == 2


def test_training_images_are_measured_by_the_live_model_and_compared(monkeypatch):
    policy = a_policy()
    asked = []

    def answered(endpoint, model, image):
        asked.append(model.name)
        return seen(brightness=0.5)

    monkeypatch.setattr(drifting.features, "look", answered)
    assert not drifting.check(policy), "too few images have come"
    drop(policy, *(f"{number}.png" for number in range(25)))
    model = policy.endpoint.deployments.get().variants.get().model
    for number in range(25):
        values = seen(brightness=0.9).features
        Detection.objects.create(
            policy=policy, uri=f"{policy.location}/{number}", version="1", model=model,
            features=dict(zip(features.FEATURES, values, strict=True)),
        )  # fmt: skip
    assert drifting.check(policy) and asked == ["bees"] * 3, "the fixed test set stands for the training set"
    policy.refresh_from_db()
    assert policy.reference["done"] and not drifting.check(policy)
    policy.refresh_from_db()
    assert policy.drift["reference"] == 3 and policy.drifting_since is None, "three images say nothing"
    assert not drifting.check(policy) and len(asked) == 3, "compared again after a while"
