"""A step of training: the losses of a batch at once, no wait for the device, and what becomes of a broken step."""

import copy

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from learning.hyperparameters import parse_train
from learning.vision import native_ops

native_ops.install()

from learning.vision import compact, compact_loss, plan, recipe, ssd_loss  # noqa: E402
from learning.vision.acceleration import Stepper, _Compiled  # noqa: E402
from learning.vision.ssd import Network, build, decode  # noqa: E402
from learning.vision.stepping import Tally, backward, change_weights  # noqa: E402
from learning.vision.targets import Target, padded, parts  # noqa: E402
from tests.learning.vision import plain_losses  # noqa: E402

CPU = torch.device("cpu")
SIZES = {"compact": 64, "ssdlite320_mobilenet_v3_large": 96}
WAITING = ("aten::item", "aten::_local_scalar_dense", "aten::nonzero", "aten::is_nonzero", "aten::equal")


@pytest.fixture(autouse=True)
def one_thread():
    """Two threads on a machine that is busy with other tests wait for each other most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def targets(counts: list[int], *, side: int, classes: int, seed: int = 0) -> list[Target]:
    """Random boxes of all sizes, so many in each image."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for count in counts:
        extent = torch.rand(count, 2, generator=generator) * side * 0.7 + 2
        corner = torch.rand(count, 2, generator=generator) * (side - extent)
        labels = torch.randint(1, classes + 1, (count,), generator=generator)
        found.append({"boxes": torch.cat([corner, corner + extent], 1), "labels": labels})
    return found


def equal(got: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor], *leaves: torch.Tensor) -> None:
    """The terms, and the gradients of their sum, are the same."""
    assert got.keys() == wanted.keys()
    for name, value in wanted.items():
        assert got[name].item() == pytest.approx(value.item(), rel=1e-5, abs=1e-5), name
    found = torch.autograd.grad(sum(got.values()), leaves, materialize_grads=True)
    expected = torch.autograd.grad(sum(wanted.values()), leaves, materialize_grads=True)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("counts", [[3, 0, 11], [0, 0], [1, 25]])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_ssd_loss_of_a_batch_is_that_of_its_images(counts: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    anchors = build("ssdlite320_mobilenet_v3_large", num_classes=4, image_size=96).anchors
    logits = torch.randn(len(counts), len(anchors), 5, requires_grad=True)
    codes = torch.randn(len(counts), len(anchors), 4, requires_grad=True)
    truth = targets(counts, side=96, classes=4, seed=seed)
    got = ssd_loss.losses(logits, codes, anchors, padded(truth))
    equal(got, plain_losses.ssd(logits, codes, anchors, truth), logits, codes)


def test_equal_losses_are_mined_up_to_the_quota() -> None:
    each, positive = torch.ones(1, 40), torch.zeros(1, 40, dtype=torch.bool)
    positive[0, :4] = True
    assert ssd_loss.mine(each, positive).sum() == 12
    assert ssd_loss.mine(each, torch.zeros_like(positive)).sum() == ssd_loss.LEAST_NEGATIVES


def test_codes_are_decoded_to_the_boxes_they_were_made_of() -> None:
    anchors = build("ssdlite320_mobilenet_v3_large", num_classes=1, image_size=96).anchors
    wanted = targets([len(anchors)], side=96, classes=1)[0]["boxes"]
    got = decode(ssd_loss.encode(wanted[None], anchors), anchors, 96)[0]
    assert torch.allclose(got, wanted, atol=1e-2)


@pytest.mark.parametrize("counts", [[3, 0, 9], [0, 0], [1, 20]])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_compact_loss_of_a_batch_is_that_of_its_images(counts: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    centres, strides = compact.cells(96)
    shape = len(counts), len(centres)
    logits = torch.randn(*shape, 3, requires_grad=True)
    sides = torch.randn(*shape, 4, compact.BINS + 1, requires_grad=True)
    reach = torch.rand(*shape, 4) * 3 * strides[:, None]
    boxes = torch.cat([centres - reach[..., :2], centres + reach[..., 2:]], -1).requires_grad_()
    truth = targets(counts, side=96, classes=3, seed=seed)
    got = compact_loss.losses(logits, sides, boxes, centres, strides, padded(truth))
    equal(got, plain_losses.compact(logits, sides, boxes, centres, strides, truth), logits, sides, boxes)


def test_targets_of_a_batch_are_one_tensor() -> None:
    truth = targets([2, 0, 9], side=50, classes=3)
    boxes, labels, exists = parts(padded(truth))
    assert boxes.shape == (3, 16, 4) and exists.sum(1).tolist() == [2, 0, 9]
    for row, target in enumerate(truth):
        assert boxes[row][exists[row]].equal(target["boxes"]) and labels[row][exists[row]].equal(target["labels"])


# --- a step ---------------------------------------------------------------------------------


def a_run(
    architecture: str, *, way: str = "eager", optimizer: str = "adamw"
) -> tuple[Network, Stepper, recipe.Ema[Network]]:
    """A network and what makes its steps, as learning.vision.train sets them up."""
    torch.manual_seed(0)
    chosen = recipe.for_architecture(architecture)
    network = build(architecture, num_classes=2, image_size=SIZES[architecture], from_random=True)
    recipe.set_train_mode(network, chosen)
    asked = parse_train({"label_attribute_name": "boxes", "optimizer": optimizer})
    changing = plan.make_optimizer(asked, network.model, chosen)
    stepper = Stepper(network, changing, clip_norm=10.0, dtype=torch.float32, way=way)
    return network, stepper, recipe.Ema(network, chosen)


def a_batch(architecture: str, counts: list[int], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    side = SIZES[architecture]
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (len(counts), 3, side, side), dtype=torch.uint8, generator=generator)
    return images, padded(targets(counts, side=side, classes=2, seed=seed))


@pytest.mark.parametrize("architecture", SIZES)
def test_no_step_waits_for_the_device_and_none_has_more_kernels_for_more_images(architecture: str) -> None:
    # AdamW's kernel for CPUs reads its counters, which lie on the host there; plain SGD has none.
    network, stepper, average = a_run(architecture, optimizer="sgd")
    for counts in ([1, 2], [3, 0, 9, 20, 1, 1]):  # the first steps allocate what later ones find
        stepper.step(*a_batch(architecture, counts))
    kernels = []
    for counts in ([1, 2], [3, 0, 9, 20, 1, 1]):
        images, rows = a_batch(architecture, counts)
        with profile(activities=[ProfilerActivity.CPU]) as watched:
            stepper.step(images, rows)
            average.update(network)
        called = {event.key: event.count for event in watched.key_averages()}
        assert [name for name in WAITING if name in called] == []
        kernels.append(sum(count for name, count in called.items() if name.startswith("aten::")))
    assert kernels[0] > 100
    assert abs(kernels[1] - kernels[0]) < 0.02 * kernels[0], kernels  # oneDNN copies some shapes and not others

    # reading the metrics is what waits
    with profile(activities=[ProfilerActivity.CPU]) as watched:
        assert stepper.tally is not None and stepper.tally.read().steps == 4


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "rmsprop"])
def test_a_step_that_is_not_finite_changes_no_weight_and_is_named(optimizer: str) -> None:
    network, stepper, _ = a_run("compact", optimizer=optimizer)
    batch = a_batch("compact", [2, 1])
    stepper.step(*batch)
    assert stepper.tally is not None
    good = stepper.tally.read()
    assert good.steps == 1 and good.broken_at == -1 and good.means["loss"] > 0

    with torch.no_grad():
        kept = network.model.head.classes.bias.clone()
        network.model.head.classes.bias[0] = torch.inf
    before = copy.deepcopy(dict(network.model.named_parameters()))
    stepper.step(*batch)
    with torch.no_grad():
        network.model.head.classes.bias.copy_(kept)  # later steps are finite again
    after = {name: value.clone() for name, value in network.model.named_parameters()}
    stepper.step(*batch)

    summary = stepper.tally.read()
    assert summary.steps == 2 and summary.broken_at == 1
    assert list(summary.broken) == ["classification"]
    if optimizer != "rmsprop":  # without a kernel of its own it goes on with a gradient of 0, which stays finite
        assert all(
            after[name].equal(value)
            for name, value in before.items()
            if name != "model.head.classes.bias" and name != "head.classes.bias"
        )
    assert all(value.isfinite().all() for value in network.model.parameters())


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.Adadelta])
def test_a_step_without_a_finite_gradient_is_left_out(kind) -> None:
    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer, tally = kind([weight], **({"fused": True} if kind is torch.optim.AdamW else {})), Tally(["only"], CPU)

    def learn(loss: torch.Tensor) -> int:
        optimizer.zero_grad()
        backward({"only": loss}, [weight], 1.0, tally)
        change_weights(optimizer, tally)
        tally.stepped()
        return tally.read().skipped

    assert learn(weight.sqrt().sum()) == 1  # whose slope is infinite at 0
    assert weight.tolist() == [0, 0]
    assert learn(weight.sum()) == 0
    assert weight.max() < 0


def test_the_mean_of_the_steps_is_reported() -> None:
    weight, tally = torch.nn.Parameter(torch.ones(1)), Tally(["a", "b"], CPU)
    for factor in (1.0, 3.0):
        backward({"a": weight.sum() * factor, "b": weight.sum() * 0.5}, [weight], 1.0, tally)
        tally.stepped()
    summary = tally.read()
    assert summary.means == {"loss": 2.5, "a": 2.0, "b": 0.5} and summary.steps == 2
    assert tally.read().means["loss"] == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_compiled_step_equals_an_eager_one() -> None:
    batch = a_batch("compact", [3, 0, 5])
    means = []
    for way in ("eager", "compile"):
        _, stepper, _ = a_run("compact", way=way)
        for _ in range(3):
            stepper.step(*batch)
        assert stepper.tally is not None
        means.append(stepper.tally.read().means)
    for name, value in means[0].items():
        assert means[1][name] == pytest.approx(value, rel=1e-3), name


def test_where_compiling_fails_the_training_goes_on_without(monkeypatch, capfd) -> None:
    monkeypatch.setattr(torch._inductor.config.cpp, "cxx", ("/nowhere/compiler",))
    torch._dynamo.reset()
    losses = _Compiled(lambda images, targets: {"only": images.float().mean() + targets.sum()})
    for _ in range(2):
        assert losses(torch.ones(1, 3, 8, 8), torch.ones(1, 8, 5))["only"] == 41
    assert capfd.readouterr().err.count("torch.compile does not work here") == 1
