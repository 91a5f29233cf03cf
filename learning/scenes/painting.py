"""The tools that all generated scenes are painted with: smooth noise, colour, placing with occlusion, exact boxes.

Pure numpy and Pillow, and everything random comes from the generator that is given. It must not know what a scene
shows or what it is for.
"""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

Rng = np.random.Generator
Colour = tuple[int, int, int]
Corners = tuple[int, int, int, int]


@dataclass(frozen=True)
class Scene:
    """image: RGB; boxes [n, 4] xyxy px, each the whole object as far as it lies in the image; kinds [n]."""

    image: Image.Image
    boxes: NDArray[np.float32]
    kinds: NDArray[np.int64]


def scene(image: Image.Image, objects: list[tuple[Corners, int]]) -> Scene:
    """A scene from its picture and the corners and kind of each object."""
    boxes = np.array([corners for corners, _ in objects], np.float32).reshape(-1, 4)
    return Scene(image, boxes, np.array([kind for _, kind in objects], np.int64))


def as_image(pixels: NDArray[np.floating]) -> Image.Image:
    """Values around 0 to 255 as a picture; what is beyond is clipped."""
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int) -> bytes:
    """The picture as a JPEG file."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def smooth_noise(rng: Rng, cells: int, width: int, height: int) -> NDArray[np.float32]:
    """[height, width], about 0 to 1: random values on cells x cells points, and curves between them."""
    grid = Image.fromarray(rng.random((cells, cells), dtype=np.float32))
    return np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC))


def recoloured(picture: Image.Image, gain: ArrayLike, lift: ArrayLike = 0.0, opacity: float = 1.0) -> Image.Image:
    """An RGBA picture in other light: each colour times its gain plus its lift (one for all, or three)."""
    ramp = np.arange(256)
    gains, lifts = np.broadcast_to(gain, 3), np.broadcast_to(lift, 3)
    table = [np.clip(ramp * g + b, 0, 255) for g, b in zip(gains, lifts, strict=True)] + [ramp * opacity]
    return picture.point(np.concatenate(table).astype(np.uint8).tolist())


# --- placing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Footprint:
    """Which pixels of a scene a picture fills. `area`: its opaque pixels in and outside the scene."""

    left: int
    top: int
    opaque: NDArray[np.bool_]  # the part inside the scene; its first pixel is at (left, top)
    area: int

    @property
    def corners(self) -> Corners | None:
        """The tight box of the opaque pixels, xyxy; None where nothing lies inside the scene."""
        rows, columns = np.flatnonzero(self.opaque.any(1)), np.flatnonzero(self.opaque.any(0))
        if not len(rows):
            return None
        x, y = self.left + columns, self.top + rows
        return int(x[0]), int(y[0]), int(x[-1]) + 1, int(y[-1]) + 1

    def covers_others(self, owner: NDArray[np.integer]) -> float:
        """Which share of the pixels belongs to another object so far."""
        return float((self._window(owner)[self.opaque] > 0).mean())

    def claim(self, owner: NDArray[np.integer], number: int) -> None:
        """Write the object's number where it is seen."""
        self._window(owner)[self.opaque] = number

    def _window(self, owner: NDArray[np.integer]) -> NDArray[np.integer]:
        height, width = self.opaque.shape
        return owner[self.top : self.top + height, self.left : self.left + width]


def footprint(picture: Image.Image, x: int, y: int, size: tuple[int, int], *, above: int) -> Footprint:
    """Where an RGBA picture pasted at (x, y) into a scene of this size is more opaque than `above` of 255."""
    opaque = np.asarray(picture.getchannel("A")) > above
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + picture.width, size[0]), min(y + picture.height, size[1])
    inside = opaque[top - y : bottom - y, left - x : right - x]
    return Footprint(left, top, inside, int(opaque.sum()))


def pixels_shown(owner: NDArray[np.integer], count: int) -> list[int]:
    """How many pixels of the scene show each of the objects 1 to count."""
    return np.bincount(owner.ravel(), minlength=count + 1)[1:].tolist()
