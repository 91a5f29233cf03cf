"""The hyperparameters of an optimizer do what they say: rates, momentum, decay, steps, frozen layers."""

import pytest
import torch
from torch import nn

from learning.contract import BadInput
from learning.hyperparameters import parse_train
from learning.vision import plan, recipe, ssd_networks
from learning.vision.layer_names import names_of_aws


def asked(**given: str):
    return parse_train({"label_attribute_name": "boxes", **given})


def moved(start: float = 1.0, gradients: tuple[float, ...] = (1.0, 1.0), **given: str) -> list[float]:
    """A single weight after each step of the optimizer, at a learning rate of 0.1."""
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(start)
    options = asked(preset="builtin", learning_rate="0.1", **({"weight_decay": "0"} | given))
    chosen = plan.make_recipe(options, from_random=True)
    optimizer = plan.make_optimizer(options, model, chosen)
    seen = []
    for gradient in gradients:
        model.weight.grad = torch.full_like(model.weight, gradient)
        optimizer.step()
        seen.append(float(model.weight.detach()))
    return seen


def test_sgd_keeps_its_momentum() -> None:
    assert moved(optimizer="sgd", momentum="0") == pytest.approx([0.9, 0.8])
    assert moved(optimizer="sgd", momentum="0.5") == pytest.approx([0.9, 0.75])  # 0.1 * (1 + 0.5)
    assert moved(optimizer="sgd") == pytest.approx([0.9, 0.71])  # AWS's default, 0.9


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "adadelta", "adamw"])
def test_momentum_is_sgds_alone(optimizer: str) -> None:
    assert moved(optimizer=optimizer, momentum="0") == moved(optimizer=optimizer, momentum="0.9")


@pytest.mark.parametrize(
    ("optimizer", "decays"), [("sgd", 1), ("rmsprop", 1), ("adamw", 1), ("adam", 0), ("adadelta", 0)]
)
def test_weights_decay_where_aws_lets_them(optimizer: str, decays: int) -> None:
    still = (0.0, 0.0)  # without a gradient only the decay moves a weight
    free, held = (moved(10.0, still, optimizer=optimizer, weight_decay=decay)[-1] for decay in ("0", "0.5"))
    assert (held < free) == bool(decays)


def test_adadelta_finds_its_own_rate() -> None:
    options = asked(preset="builtin", optimizer="adadelta")
    model = nn.Linear(1, 1)
    optimizer = plan.make_optimizer(options, model, plan.make_recipe(options, from_random=True))
    assert isinstance(optimizer, torch.optim.Adadelta) and {g["lr"] for g in optimizer.param_groups} == {1.0}


def test_the_rate_falls_by_the_factor_at_each_step_of_the_schedule() -> None:
    options = asked(preset="builtin", epochs="10", lr_scheduler_step="2,5", lr_scheduler_factor="0.5")
    curve = plan.make_curve(options, plan.make_recipe(options, from_random=False), steps_per_epoch=10)
    assert [curve.factor(step, 0) for step in (0, 19, 20, 49, 50, 99)] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert curve.progress(99, 0) < 1 <= curve.progress(100, 0)


def test_the_built_in_algorithm_trains_every_layer_at_one_constant_rate() -> None:
    options = asked(base_network="vgg-16")
    chosen = plan.make_recipe(options, from_random=False)
    curve = plan.make_curve(options, chosen, steps_per_epoch=7)
    assert {curve.factor(step, 0) for step in range(0, 210, 7)} == {1.0}
    assert (curve.total_steps, chosen.batch_size, chosen.ema_decay) == (210, 32, 0)
    model = ssd_networks.BUILDERS["ssd300_vgg16"](2, 64)
    assert {group["lr"] for group in recipe.parameter_groups(model, chosen)} == {0.001}
    average = recipe.Ema(nn.Linear(1, 1), chosen)
    trained = nn.Linear(1, 1)
    average.update(trained)
    assert average.model.weight.equal(trained.weight)  # the last weights, not a mean


def test_layers_are_frozen_by_our_names_or_awss() -> None:
    model = ssd_networks.BUILDERS["ssd300_vgg16"](2, 64)
    options = asked(base_network="vgg-16", freeze_layer_pattern="^(conv1_|conv2_).*")  # the example of AWS's guide
    assert plan.freeze_matching(model, options) == 8
    held = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    assert held == {f"backbone.features.{n}.{kind}" for n in (0, 2, 5, 7) for kind in ("weight", "bias")}

    model = ssd_networks.BUILDERS["ssd300_resnet50"](2, 64)
    ours = asked(architecture="ssd300_resnet50", freeze_layer_pattern=r"features\.(conv1|bn1|layer1)\.")
    found = plan.freeze_matching(model, ours)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    theirs = asked(base_network="resnet-50", freeze_layer_pattern="^(conv0|bn0|stage1_)")
    assert plan.freeze_matching(model, theirs) == found == 3 + 3 * 9 + 3
    recipe.set_train_mode(model, plan.make_recipe(theirs, from_random=True))
    norms = {n: p.training for n, p in model.named_modules() if isinstance(p, nn.BatchNorm2d)}
    assert not norms["backbone.features.layer1.0.bn1"] and norms["backbone.features.layer2.0.bn1"]


def test_every_layer_of_the_base_networks_has_awss_name_once() -> None:
    for architecture, count in (("ssd300_vgg16", 15 * 2), ("ssd300_resnet50", 129)):
        names = [name for name, _ in ssd_networks.BUILDERS[architecture](2, 64).named_parameters()]
        theirs = names_of_aws(architecture, names)
        assert len(theirs) == len(set(theirs.values())) == count
    assert names_of_aws("compact", ["trunk.stem.conv.weight"]) == {}


@pytest.mark.parametrize(
    ("pattern", "message"), [("convolution", "matches no layer; names are such as"), (".", "leaves nothing")]
)
def test_a_pattern_that_freezes_nothing_or_everything_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(BadInput, match=f"'freeze_layer_pattern' {pattern!r} {message}"):
        plan.freeze_matching(nn.Linear(1, 1), asked(freeze_layer_pattern=pattern))
