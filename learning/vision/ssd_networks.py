"""SSD over three backbones from torchvision's parts, for any input size: VGG-16, ResNet-50 and MobileNetV3.

A network of one size has the parameters of any other, so weights fit all of them. It must not know losses, weights
or training.
"""

from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor, nn

from learning.vision import native_ops

native_ops.install()

from torchvision.models import resnet50  # noqa: E402
from torchvision.models.detection import ssd300_vgg16, ssdlite320_mobilenet_v3_large  # noqa: E402
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator  # noqa: E402
from torchvision.models.detection.ssd import SSD, SSDHead  # noqa: E402

RATIOS = [[2], [2, 3], [2, 3], [2, 3], [2], [2]]  # Liu et al. 2016, 2.2, for 300 pixels
STEPS = [8, 16, 32, 64, 100, 300]  # the same: pixels between the default boxes of each map
SMALLEST, SECOND, LARGEST = 0.07, 0.15, 1.05
"""Sides of the default boxes of the first, second and last map, as shares of 300 pixels."""
LITE_SMALLEST, LITE_LARGEST = 0.2, 0.95  # the same for SSDLite, of 320 pixels
MOST_GROWTH = 2.0  # the least input sizes would have default boxes of half their side otherwise
IMAGENET_MEAN, IMAGENET_DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
# Widths of the maps after ResNet's: squeezed to the first number, then widened to the second.
RESNET_CHANNELS = 1024
RESNET_EXTRAS = ((256, 512), (256, 512), (128, 256), (128, 256), (128, 256))


def vgg16(outputs: int, size: int) -> SSD:
    """Liu et al. 2016 over VGG-16; at 300 pixels exactly torchvision's. `outputs` counts the background."""
    model = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=outputs)
    if size != 300:
        # Two poolings that round down, one that rounds up, one down; then two convolutions that round up.
        fit_last_maps(list(model.backbone.extra[3:]), side=_halved((size // 4 + 1) // 4, 2))
        model.anchor_generator = default_boxes(size)
    return model


def resnet50_ssd(outputs: int, size: int) -> SSD:
    """The paper's extra layers and default boxes over ResNet-50 up to its fourth stage, which keeps stride 8.

    Without that the finest map would have stride 16, twice that of VGG-16, and small objects would be lost.
    """
    backbone = ResNetFeatures()
    fit_last_maps(list(backbone.extra[3:]), side=_halved(size, 6))
    channels = [RESNET_CHANNELS, *(wide for _, wide in RESNET_EXTRAS)]
    boxes = default_boxes(size)
    head = SSDHead(channels, boxes.num_anchors_per_location(), outputs)
    return SSD(
        backbone, boxes, (size, size), outputs, head=head, image_mean=IMAGENET_MEAN, image_std=IMAGENET_DEVIATION
    )


def mobilenet_v3(outputs: int, size: int) -> SSD:
    """SSDLite over MobileNetV3-Large; at 320 pixels exactly torchvision's."""
    model = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=outputs)
    if size != 320:
        generator = model.anchor_generator
        smallest = LITE_SMALLEST * min(MOST_GROWTH, 320 / size)
        model.anchor_generator = DefaultBoxGenerator(generator.aspect_ratios, smallest, LITE_LARGEST)
        for place, block in enumerate(model.backbone.extra):
            if _halved(size, 5 + place) == 1:
                block[1][0].stride = (1, 1)  # computes the same; see fit_last_maps
    return model


BUILDERS: dict[str, Callable[[int, int], SSD]] = {
    "ssdlite320_mobilenet_v3_large": mobilenet_v3,
    "ssd300_vgg16": vgg16,
    "ssd300_resnet50": resnet50_ssd,
}


def of_format_1(architecture: str, outputs: int, size: int) -> SSD:
    """The networks of models with config.json's format 1: at other sizes than the published one they had the layers
    and the relative default boxes of that size. Only VGG-16 and MobileNetV3 existed."""
    if architecture == "ssdlite320_mobilenet_v3_large":
        return mobilenet_v3(outputs, 320)
    model = vgg16(outputs, 300)
    if size != 300:
        generator = model.anchor_generator
        model.anchor_generator = DefaultBoxGenerator(generator.aspect_ratios, scales=generator.scales)
    return model


def default_boxes(size: int) -> DefaultBoxGenerator:
    """The paper's default boxes for 300 pixels, and in its manner for other sizes.

    Those of the two finest maps keep their size in pixels, as in the paper's two networks for COCO (300 and 512
    pixels): what a map sees well is a matter of pixels. The others grow evenly to the whole image, and boxes lie as
    the feature maps do.
    """
    if size == 300:
        scales = [SMALLEST, *_evenly(SECOND, LARGEST, len(RATIOS))]
        return DefaultBoxGenerator(RATIOS, scales=scales, steps=STEPS)
    grown = min(MOST_GROWTH, 300 / size)
    return DefaultBoxGenerator(RATIOS, scales=[SMALLEST * grown, *_evenly(SECOND * grown, LARGEST, len(RATIOS))])


def fit_last_maps(blocks: list[nn.Module], *, side: int) -> None:
    """Let the last maps shrink to one cell whatever the size of the input; `side` is that of the map before them.

    For 300 pixels the paper has unpadded convolutions (5 cells to 3 to 1). Larger maps are halved as the earlier ones
    are, and those of one or two cells keep them, so that only padding and stride differ. (Halving a single cell would
    be the same, but oneDNN's gradient of that is not a number in bfloat16.)
    """
    for block in blocks:
        narrowing = [part for part in block.modules() if isinstance(part, nn.Conv2d)][-1]
        if side > 5:
            narrowing.stride, narrowing.padding, side = (2, 2), (1, 1), (side + 1) // 2
        elif side > 2:
            narrowing.stride, narrowing.padding, side = (1, 1), (0, 0), side - 2
        else:
            narrowing.stride, narrowing.padding = (1, 1), (1, 1)


class ResNetFeatures(nn.Module):
    """ResNet-50's first four stages and the extra layers; float images in, six feature maps out."""

    def __init__(self) -> None:
        super().__init__()
        network = resnet50(weights=None)
        network.layer3[0].conv2.stride = network.layer3[0].downsample[0].stride = (1, 1)
        names = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3")
        self.features = nn.Sequential(OrderedDict((name, getattr(network, name)) for name in names))
        extras, inp = [], RESNET_CHANNELS
        for narrow, wide in RESNET_EXTRAS:
            extras.append(_extra_block(inp, narrow, wide))
            inp = wide
        self.extra = nn.ModuleList(extras)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        found = [self.features(x)]
        for block in self.extra:
            found.append(block(found[-1]))
        return OrderedDict((str(place), each) for place, each in enumerate(found))


def _extra_block(inp: int, narrow: int, wide: int) -> nn.Sequential:
    """SSD's squeeze and halving, with the batch norms that a network over ResNet needs to learn at ResNet's rate."""
    layers: list[nn.Module] = []
    for conv in (nn.Conv2d(inp, narrow, 1, bias=False), nn.Conv2d(narrow, wide, 3, stride=2, padding=1, bias=False)):
        nn.init.xavier_uniform_(conv.weight)
        layers += [conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _evenly(first: float, last: float, count: int) -> list[float]:
    return [first + (last - first) * place / (count - 1) for place in range(count)]


def _halved(size: int, times: int) -> int:
    """The side of a map after so many convolutions of stride 2, which round up."""
    for _ in range(times):
        size = (size + 1) // 2
    return size
