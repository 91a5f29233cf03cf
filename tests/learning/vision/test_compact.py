"""The compact detector: geometry, assignment, loss, folding, starting from other weights, and that it learns."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from learning.vision import native_ops

native_ops.install()

from learning.vision import compact, compact_loss, recipe  # noqa: E402
from learning.vision.boxes import complete_iou, pairwise_iou  # noqa: E402
from learning.vision.depthwise import DepthwiseConv2d, depthwise_conv2d, quicken  # noqa: E402
from learning.vision.stepping import Tally, backward, change_weights  # noqa: E402
from learning.vision.targets import padded  # noqa: E402

START = Path(compact.__file__).parent / "weights" / "waggle-start.safetensors"


@pytest.fixture(autouse=True)
def one_thread():
    """Two threads on a machine that is busy with other tests wait for each other most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def boxes(*rows):
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


def truth(rows, labels):
    return {"boxes": boxes(*rows), "labels": torch.tensor(labels, dtype=torch.int64)}


def randomised(model):
    """Batch norms with statistics and gains as after training."""
    generator = torch.Generator().manual_seed(1)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.3, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
            part.weight.data.uniform_(0.5, 1.5, generator=generator)
    return model


# --- cells, boxes, interface -------------------------------------------------


def test_cells_lie_at_the_centres_of_their_strides():
    centres, strides = compact.cells(64)
    assert len(centres) == 64 + 16 + 4
    assert centres[0].tolist() == [4, 4] and centres[1].tolist() == [12, 4] and centres[8].tolist() == [4, 12]
    assert centres[-1].tolist() == [48, 48] and strides.tolist() == [8.0] * 64 + [16.0] * 16 + [32.0] * 4


@pytest.mark.parametrize("classes, size, message", [(1, 96, "num_classes"), (3, 32, "at least 64")])
def test_invalid_sizes_and_class_counts_are_refused(classes, size, message):
    with pytest.raises(ValueError, match=message):
        compact.build(classes, image_size=size)


def test_detections_are_in_the_pixels_of_each_image():
    model = compact.build(3, image_size=96).eval()
    model.score_threshold = 0.0
    square, wide = torch.full((3, 96, 96), 0.3), torch.full((3, 96, 192), 0.3)
    with torch.no_grad():
        first, second = model([square, wide])
    assert first["labels"].min() >= 1 and first["labels"].max() <= 2
    assert (first["scores"].diff() <= 0).all() and len(first["scores"]) == len(first["boxes"]) <= 100
    assert first["boxes"].max() <= 96 < second["boxes"][:, 2].max() <= 192
    # One image at a time: in a batch, places differ in the last bit, which reorders nearly equal scores.
    with torch.no_grad():
        (first,), (second,) = model([square]), model([wide])
    assert torch.allclose(first["boxes"] * torch.tensor([2, 1, 2, 1]), second["boxes"], atol=0.1)


def test_export_outputs_before_suppression():
    model = compact.build(4, image_size=64).eval()
    with torch.no_grad():
        found, scores, embedding = model.forward_export(torch.rand(2, 3, 64, 64))
    assert found.shape == (2, 84, 4) and scores.shape == (2, 84, 3)
    assert embedding.shape == (2, compact.EMBEDDING_SIZE)
    assert found.min() >= 0 and found.max() <= 64 and scores.min() > 0 and scores.max() < 1


def test_training_needs_targets():
    with pytest.raises(ValueError, match="targets"):
        compact.build(2, image_size=64).train()(torch.rand(1, 3, 64, 64))


# --- assignment and loss ------------------------------------------------------


def test_complete_iou_of_known_pairs():
    found = boxes([0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10])
    target = boxes([0, 0, 10, 10], [10, 0, 20, 10], [0, 0, 10, 5])
    same, beside, half = complete_iou(found, target).tolist()
    assert same == pytest.approx(1.0)
    assert beside == pytest.approx(-100 / 500)  # no overlap, centres 10 apart, diagonal of the hull 20 x 10
    assert half < 0.5 - 6.25 / 200  # IoU less the distance, less a penalty for the other shape


def test_the_best_aligned_cell_inside_a_box_is_assigned_to_it():
    centres, strides = compact.cells(64)
    true = boxes([8, 8, 40, 40])[None]
    predicted = torch.cat([centres - 4, centres + 4], 1)
    perfect = int((centres == torch.tensor([20.0, 20.0])).all(1).nonzero()[0])
    predicted[perfect] = true[0, 0]
    strength, matched = compact_loss.assign(
        torch.full((1, 1, len(centres)), 0.5), predicted[None], centres, strides, true, torch.ones(1, 1).bool()
    )
    assert strength[0].argmax() == perfect and strength[0, perfect] == pytest.approx(1.0)
    assert (strength[0] > 0).sum() <= compact_loss.TOP_CELLS
    outside = ~((centres > 8) & (centres < 40)).all(1)
    assert (strength[0][outside & (strides == 8)] == 0).all() and (matched == 0).all()


def test_a_box_smaller_than_a_cell_still_has_one():
    centres, strides = compact.cells(64)
    true = boxes([15.5, 15.5, 16.5, 16.5])[None]
    predicted = torch.cat([centres - strides[:, None], centres + strides[:, None]], 1)[None]
    strength, _ = compact_loss.assign(
        torch.full((1, 1, len(centres)), 0.5), predicted, centres, strides, true, torch.ones(1, 1).bool()
    )
    assert strength.max() > 0


def test_an_image_without_objects_has_a_classification_loss_only():
    model = compact.build(3, image_size=64).train()
    losses = model(torch.rand(2, 3, 64, 64), [truth([], []), truth([], [])])
    assert losses["classification"] > 0 and losses["bbox_regression"] == 0 and losses["distribution"] == 0
    sum(losses.values()).backward()
    assert model.head.classes.weight.grad.abs().sum() > 0


def test_better_predictions_have_a_lower_loss():
    centres, strides = compact.cells(64)
    target = padded([truth([[8, 8, 40, 40]], [2])])
    logits = torch.full((1, 84, 3), -5.0)
    reach = torch.stack([centres[:, 0] - 8, centres[:, 1] - 8, 40 - centres[:, 0], 40 - centres[:, 1]], 1)
    reach = (reach / strides[:, None]).clamp(0, compact.BINS)
    sides = -(torch.arange(compact.BINS + 1) - reach[..., None]).abs()[None] * 4
    exact = boxes([8, 8, 40, 40]).expand(84, 4)[None]
    costs = []
    for shift in (0, 4, 12):
        costs.append(compact_loss.losses(logits, sides, exact + shift, centres, strides, target))
    assert costs[0]["bbox_regression"] < costs[1]["bbox_regression"] < costs[2]["bbox_regression"]
    logits[..., 1] = torch.where(((centres > 8) & (centres < 40)).all(1), 3.0, -5.0)
    told = compact_loss.losses(logits, sides, exact, centres, strides, target)
    assert told["classification"] < costs[0]["classification"]


def test_membership_turns_on_several_outputs():
    centres, strides = compact.cells(64)
    table = torch.tensor([[1.0, 1, 0], [1, 0, 1]])
    logits = torch.zeros(1, 84, 3, requires_grad=True)
    exact = boxes([8, 8, 40, 40]).expand(84, 4)[None]
    sides = torch.zeros(1, 84, 4, compact.BINS + 1)
    target = padded([truth([[8, 8, 40, 40]], [2])])
    compact_loss.losses(logits, sides, exact, centres, strides, target, table)["classification"].backward()
    pushed_up = (logits.grad < 0).any(1)[0].tolist()
    assert pushed_up == [True, False, True]


# --- weights ------------------------------------------------------------------


def test_folding_changes_no_output():
    torch.manual_seed(0)
    model = randomised(compact.build(3, image_size=64, norm=True)).eval()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        before = model.forward_export(images)
        compact.fold(model)
        after = model.forward_export(images)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in model.modules())
    for wanted, got in zip(before, after, strict=True):
        assert torch.allclose(wanted, got, rtol=1e-3, atol=1e-3)


def test_new_classes_start_as_output_0_of_the_other_model():
    other, model = compact.build(6, image_size=64), compact.build(3, image_size=64)
    torch.nn.init.normal_(other.head.classes.weight)
    assert compact.load(model, other.state_dict()) == []
    for row in model.head.classes.weight:
        assert torch.equal(row, other.head.classes.weight[0])
    assert torch.equal(model.head.sides.weight, other.head.sides.weight)


def test_weights_that_do_not_fit_or_are_not_finite_are_refused():
    model = compact.build(3, image_size=64)
    with pytest.raises(ValueError, match="no name matches"):
        compact.load(model, {"elsewhere": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"head.sides.weight \[1\]"):
        compact.load(model, {"head.sides.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match="not finite in trunk.stem.conv.bias"):
        compact.load(model, {"trunk.stem.conv.bias": torch.full((32,), float("nan"))})


def test_frozen_blocks_do_not_learn_and_the_rest_does():
    model = compact.build(3, image_size=64).train()
    model.trunk.freeze(6)  # past the first feature map the pyramid takes
    losses = model(torch.rand(1, 3, 64, 64), [truth([[5, 5, 40, 40]], [1])])
    sum(losses.values()).backward()
    assert model.trunk.stem.conv.weight.grad is None
    assert model.trunk.blocks[5].layers[0].conv.weight.grad is None
    assert model.trunk.blocks[6].layers[0].conv.weight.grad.abs().sum() > 0


def test_the_shipped_checkpoint_learns_two_things_in_a_few_steps():
    """Red squares and blue bars on noise: 30 steps of 4 images, then both are found on new images."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(5)
    model = compact.build(3, image_size=96)
    compact.load(model, load_file(START))
    plan = recipe.for_architecture("compact")
    recipe.prepare(model, plan)
    optimizer = torch.optim.AdamW(recipe.parameter_groups(model, plan))
    recipe.set_train_mode(model, plan)
    tally, learned = None, [parameter for parameter in model.parameters() if parameter.requires_grad]
    for _ in range(30):
        images, targets = zip(*(drawn(generator) for _ in range(4)), strict=True)
        losses = model(torch.stack(images), targets)
        tally = tally or Tally(list(losses), torch.device("cpu"))
        optimizer.zero_grad()
        backward(losses, learned, plan.clip_norm, tally)
        change_weights(optimizer, tally)
    model.eval()
    for _ in range(5):
        image, target = drawn(generator)
        with torch.no_grad():
            found = model([image])[0]
        for box, label in zip(target["boxes"], target["labels"], strict=True):
            best = found["boxes"][found["labels"] == label][:1]
            assert pairwise_iou(box[None, None], best[None])[0, 0, 0] > 0.6


def drawn(generator):
    image = torch.rand(3, 96, 96, generator=generator) * 0.3 + 0.3
    x, y = torch.randint(2, 20, (2,), generator=generator).tolist()
    image[:, y : y + 24, x : x + 24] = torch.tensor([0.95, 0.1, 0.1])[:, None, None]
    left, top = (torch.randint(50, 60, (2,), generator=generator)).tolist()
    image[:, top : top + 34, left : left + 12] = torch.tensor([0.1, 0.1, 0.95])[:, None, None]
    return image, truth([[x, y, x + 24, y + 24], [left, top, left + 12, top + 34]], [1, 2])


# --- the fast depthwise convolution ---------------------------------------------


@pytest.mark.parametrize("kernel, stride, side", [(3, 1, 10), (3, 2, 10), (5, 1, 9), (5, 2, 10), (5, 2, 11)])
def test_depthwise_gradients_agree_with_torch(kernel, stride, side):
    torch.manual_seed(0)
    x = torch.randn(2, 16, side, side).contiguous(memory_format=torch.channels_last).requires_grad_()
    weight, bias = torch.randn(16, 1, kernel, kernel, requires_grad=True), torch.randn(16, requires_grad=True)
    wanted = F.conv2d(x, weight, bias, stride, kernel // 2, 1, 16)
    upstream = torch.randn_like(wanted)
    expected = torch.autograd.grad(wanted, (x, weight, bias), upstream)
    with torch.autocast("cpu", torch.bfloat16):
        got = depthwise_conv2d(x, weight, bias, stride)
    assert torch.allclose(got.float(), wanted, atol=0.1)
    found = torch.autograd.grad(got, (x, weight, bias), upstream.bfloat16())
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape and one.dtype == torch.float32
        assert (one - other).abs().max() < 0.02 * other.abs().max()


def test_the_depthwise_convolutions_of_any_model_become_fast_ones():
    torch.manual_seed(0)
    depthwise, dilated = (torch.nn.Conv2d(8, 8, 3, 2, 1 + d, 1 + d, groups=8) for d in (0, 1))
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 1), depthwise, dilated)
    names, wanted = list(model.state_dict()), model(x := torch.rand(1, 3, 12, 12))
    quicken(model)
    assert [type(part) is DepthwiseConv2d for part in model] == [False, True, False]
    assert list(model.state_dict()) == names and model(x).equal(wanted)


def test_on_tiny_maps_a_depthwise_convolution_is_computed_in_float32():
    weight = torch.randn(16, 1, 3, 3, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        small = depthwise_conv2d(torch.rand(2, 16, 2, 2), weight, None, 2)
        assert small.dtype == torch.float32
        assert depthwise_conv2d(torch.rand(2, 16, 8, 8), weight, None, 2).dtype == torch.bfloat16
