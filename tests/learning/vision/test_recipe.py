"""The recipe: learning-rate curve inside a budget of steps and seconds, groups, averaging."""

import dataclasses

import pytest
import torch
from torch import nn

from learning.hyperparameters import parse_train
from learning.vision import recipe
from learning.vision.plan import make_curve

PLAN = dataclasses.replace(
    recipe.for_architecture("compact"), warmup_steps=10, final_factor=0.1, trunk_factor=0.5, ema_decay=0.9
)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(2, 2)
        self.head = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))


def test_the_curve_warms_up_and_ends_low():
    curve = recipe.Schedule(PLAN, total_steps=100)
    assert curve.factor(0, 0) == pytest.approx(0.1)
    assert max(curve.factor(step, 0) for step in range(100)) == curve.factor(9, 0) > 0.9
    assert curve.factor(100, 0) == pytest.approx(0.1)
    assert curve.progress(50, 1e9) == 0.5  # without a limit time does not count


def test_time_ends_the_curve_where_steps_would_not():
    curve = recipe.Schedule(PLAN, total_steps=1_000_000, max_seconds=60)
    assert curve.progress(100, 30) == 0.5 and curve.progress(100, 61) == 1.0
    assert curve.factor(100, 60) == pytest.approx(0.1)


def test_a_small_set_is_seen_more_often_than_a_large_one_unless_epochs_are_given():
    def steps(per_epoch: int, **given: str) -> int:
        asked = parse_train({"label_attribute_name": "boxes", **given})
        return make_curve(asked, PLAN, steps_per_epoch=per_epoch).total_steps

    assert PLAN.least_steps <= steps(7) < PLAN.least_steps + 7
    assert steps(1000) == 30_000
    assert steps(7, epochs="3") == 21


def test_apply_scales_each_group_from_its_own_peak():
    model = Model()
    optimizer = torch.optim.AdamW(recipe.parameter_groups(model, PLAN, learning_rate=0.01))
    recipe.Schedule(PLAN, total_steps=100).apply(optimizer, 100, 0)
    rates = {round(group["lr"], 6) for group in optimizer.param_groups}
    assert rates == {0.001, 0.0005}


def test_groups_hold_every_parameter_once_and_spare_biases_decay():
    model = Model()
    groups = recipe.parameter_groups(model, PLAN)
    held = [id(p) for group in groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    for group in groups:
        assert all((p.ndim > 1) == (group["weight_decay"] > 0) for p in group["params"])
    model.trunk.requires_grad_(False)
    assert len([p for g in recipe.parameter_groups(model, PLAN) for p in g["params"]]) == 4


def test_norms_keep_their_statistics_where_the_recipe_says_so():
    model = Model()
    recipe.set_train_mode(model, PLAN)
    assert model.training and not model.head[1].training
    recipe.set_train_mode(model, dataclasses.replace(PLAN, freeze_norms=False))
    assert model.head[1].training


def test_the_average_follows_and_survives_being_saved():
    model = Model()
    average = recipe.Ema(model, PLAN)
    with torch.no_grad():
        model.trunk.weight.add_(1.0)
    for _ in range(200):
        average.update(model)
    assert torch.allclose(average.model.trunk.weight, model.trunk.weight, atol=1e-4)
    again = recipe.Ema(Model(), PLAN)
    again.load_state_dict(average.state_dict())
    assert again.updates == 200 and torch.equal(again.model.trunk.weight, average.model.trunk.weight)
    with torch.no_grad():
        model.trunk.weight.add_(1.0)
    before = again.model.trunk.weight.clone()
    again.update(model)
    assert torch.allclose(again.model.trunk.weight - before, torch.full((2, 2), 0.1), atol=1e-3)


def test_an_architecture_without_a_recipe_is_named():
    with pytest.raises(ValueError, match="'yolo'.*compact"):
        recipe.for_architecture("yolo")
    assert recipe.for_architecture("ssd300_vgg16").batch_size > 0
