"""Images for detectors: the pixels that people are shown, within the same limits, stretched to a square."""

import io

import numpy as np
import pytest
from PIL import Image

from labeling.formats.images import ImageError, Limits, decode, inspect
from learning.serving import images
from learning.serving.images import load_picture

LIMITS = Limits()


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def test_exif_orientation_is_applied_before_anything_is_measured() -> None:
    # given a picture whose left half is red, stored turned by a quarter
    upright = Image.new("RGB", (200, 100), "blue")
    upright.paste("red", (0, 0, 100, 100))
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn clockwise to show"
    data = encoded(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95)

    picture = load_picture(data, size=64, limits=LIMITS)

    assert picture.image_size == {"width": 200, "height": 100, "depth": 3}
    left, right = picture.pixels[32, 8], picture.pixels[32, 56]
    assert left[0] > 200 > 60 > left[2] and right[2] > 200 > 60 > right[0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((20, 30), 0x8000, np.uint16))
    else:
        image = Image.new("L", (30, 20), 128).convert(mode)
    data = encoded(image, "TIFF" if mode == "CMYK" else "PNG")
    picture = load_picture(data, size=16, limits=LIMITS)
    assert picture.pixels.shape == (16, 16, 3) and picture.pixels.dtype == np.uint8
    assert (picture.width, picture.height) == (30, 20)
    if mode != "1":  # black and white has no middle grey
        assert abs(int(picture.pixels[8, 8].mean()) - 128) <= 3


def test_a_large_jpeg_keeps_its_own_size_in_the_answer() -> None:
    data = encoded(Image.new("RGB", (1601, 1203), "green"), "JPEG")
    picture = load_picture(data, size=100, limits=LIMITS)
    assert (picture.width, picture.height, picture.pixels.shape) == (1601, 1203, (100, 100, 3))


def photo(size: tuple[int, int]) -> Image.Image:
    """Smooth colours with grain, as a camera sees them."""
    rng = np.random.default_rng(5)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.int16)
    return Image.fromarray(np.clip(smooth + rng.normal(0, 8, smooth.shape), 0, 255).astype(np.uint8))


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1000, 90), (330, 300), (1280, 1280)])
def test_a_large_picture_looks_as_by_the_exact_filter(size: tuple[int, int]) -> None:
    original = photo(size)
    exact = np.asarray(original.resize((320, 320), Image.Resampling.BILINEAR), np.int16)
    pixels = load_picture(encoded(original, "PNG"), size=320, limits=LIMITS).pixels
    difference = np.abs(pixels - exact)
    assert difference.mean() < 1.5 and difference.max() <= 10
    if max(size) < 640:
        assert not difference.any()


def test_a_process_that_keeps_memory_sees_the_same_pixels() -> None:
    several = [encoded(photo(size), "JPEG") for size in ((640, 480), (90, 60), (2000, 1500), (640, 480))]
    before = [load_picture(data, size=64, limits=LIMITS).pixels for data in several]
    kept = Image.core.get_blocks_max()
    try:
        images.keep_memory()
        assert Image.core.get_blocks_max() == images.KEPT_BLOCKS
        for _ in range(2):
            after = [load_picture(data, size=64, limits=LIMITS).pixels for data in several]
            assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    finally:
        Image.core.set_blocks_max(kept)


def test_limits_are_kept_before_pixels_are_decoded() -> None:
    data = encoded(Image.new("RGB", (300, 300)), "PNG")
    with pytest.raises(ImageError, match="300 x 300, at most 1,000 pixels"):
        load_picture(data, size=16, limits=Limits(max_pixels=1000))
    with pytest.raises(ImageError, match="at most 10 are allowed"):
        load_picture(data, size=16, limits=Limits(max_bytes=10))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_damage_anywhere_is_an_error_and_never_something_else(kind: str) -> None:
    rng = np.random.default_rng(3)
    whole = encoded(Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)), kind)
    refused = 0
    for cut in range(0, len(whole), max(1, len(whole) // 40)):
        damaged = bytearray(whole)
        damaged[cut : cut + 8] = rng.bytes(8)
        for data in (bytes(damaged), whole[:cut]):
            try:
                assert load_picture(data, size=16, limits=LIMITS).pixels.shape == (16, 16, 3)
            except ImageError:
                refused += 1
    assert refused


def test_other_formats_are_not_opened() -> None:
    with pytest.raises(ImageError, match="not an image in a known format"):
        load_picture(encoded(Image.new("RGB", (8, 8)), "PPM"), size=16, limits=LIMITS)
    with pytest.raises(ImageError, match="No such file"):
        load_picture("/nowhere/at/all.png", size=16, limits=LIMITS)


def stored(kind: str) -> bytes:
    """A 64 x 64 picture in one of the forms that loaders tend to read differently."""
    rng = np.random.default_rng(4)
    colours = Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    if kind == "16-bit grey":
        return encoded(Image.fromarray(rng.integers(0, 65536, (64, 64), dtype=np.uint16)), "PNG")
    if kind == "dark 16-bit grey":
        return encoded(Image.fromarray(rng.integers(0, 256, (64, 64), dtype=np.uint16)), "PNG")
    if kind == "palette with a transparent colour":
        return encoded(colours.quantize(16), "PNG", transparency=3)
    if kind == "half transparent":
        colours.putalpha(Image.fromarray(rng.integers(0, 256, (64, 64), dtype=np.uint8)))
        return encoded(colours, "PNG")
    if kind == "CMYK":
        return encoded(colours.convert("CMYK"), "JPEG")
    exif = Image.Exif()
    exif[0x0112] = 5
    return encoded(colours, "JPEG", exif=exif)


KINDS = ["16-bit grey", "dark 16-bit grey", "palette with a transparent colour", "half transparent", "CMYK", "turned"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_sees_the_pixels_that_people_are_shown(kind: str) -> None:
    data = stored(kind)
    shown, info = decode(data)
    picture = load_picture(data, size=64, limits=LIMITS)
    assert np.array_equal(picture.pixels, np.asarray(shown))
    assert picture.image_size == {"width": info.width, "height": info.height, "depth": info.depth}


def test_the_limits_are_the_same_for_people_and_models(tmp_path) -> None:
    data = stored("CMYK")
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    for limits in (Limits(max_bytes=len(data) - 1), Limits(max_pixels=64 * 64 - 1)):
        problem = inspect(data, limits).problem
        assert problem is not None
        for source in (data, path):
            with pytest.raises(ImageError) as refused:
                load_picture(source, size=64, limits=limits)
            assert str(refused.value) == problem
    for source in (data, path):
        assert load_picture(source, size=64, limits=Limits(max_bytes=len(data), max_pixels=64 * 64)).width == 64
