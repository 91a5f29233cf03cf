"""Untrusted image files: real decoding, limits before decoding, upright pixels."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from labeling.formats.images import (
    SIGNATURE_BYTES,
    ImageError,
    Limits,
    decode,
    display_copy,
    format_by_signature,
    inspect,
    normalise,
)


def picture(width: int = 48, height: int = 32, mode: str = "RGB") -> Image.Image:
    """Four different corners on a gradient, so that every turn and flip shows."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    image = Image.fromarray(np.dstack([x, y, 255 - x]).astype(np.uint8))
    for corner, color in {(0, 0): "red", (1, 0): "lime", (0, 1): "blue", (1, 1): "white"}.items():
        image.paste(
            color,
            (
                corner[0] * (width - 16),
                corner[1] * (height - 16),
                corner[0] * (width - 16) + 16,
                corner[1] * (height - 16) + 16,
            ),
        )
    return image.convert(mode)


def saved(image: Image.Image, format: str = "JPEG", orientation: int | None = None, **options: object) -> bytes:
    out = BytesIO()
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif.tobytes()
    image.save(out, format, **options)
    return out.getvalue()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_formats_are_known_by_content(format):
    info = inspect(saved(picture(), format))
    assert info.ok and (info.width, info.height, info.format) == (48, 32, format)
    assert info.content_type == f"image/{format.lower()}" and info.depth == 3 and info.orientation == 1
    assert inspect(BytesIO(saved(picture(), format))) == info


@pytest.mark.parametrize(
    ("mode", "depth"), [("L", 1), ("RGB", 3), ("RGBA", 4), ("P", 3), ("1", 1), ("LA", 2), ("I;16", 1)]
)
def test_depth_counts_channels(mode, depth):
    image = Image.new("I;16", (4, 4)) if mode == "I;16" else picture(mode=mode)
    assert inspect(saved(image, "PNG")).depth == depth


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_orientation_gives_the_displayed_size_and_upright_pixels(format, orientation):
    raw = saved(picture(), format, orientation, **({"quality": 95, "subsampling": 0} if format == "JPEG" else {}))
    info = inspect(raw)
    assert (info.width, info.height) == ((32, 48) if orientation >= 5 else (48, 32))
    assert info.orientation == orientation
    upright = normalise(raw)
    again = inspect(upright)
    assert (again.orientation, again.width, again.height, again.format) == (1, info.width, info.height, format)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(raw))).convert("RGB")).astype(int)
    found = np.asarray(Image.open(BytesIO(upright)).convert("RGB")).astype(int)
    assert np.abs(shown - found).mean() < 1.5
    if orientation == 1:
        assert upright == raw


def test_turning_a_jpeg_keeps_its_quality():
    raw = saved(picture(320, 240), "JPEG", 6, quality=30, subsampling=2)
    upright = normalise(raw)
    before, after = Image.open(BytesIO(raw)), Image.open(BytesIO(upright))
    assert after.quantization == before.quantization
    assert len(upright) < 1.3 * len(raw)


def test_exif_is_removed_and_the_colour_profile_kept():
    exif = Image.Exif()
    exif[0x0112] = 3
    exif[0x010E] = "home address"
    raw = saved(picture(), "JPEG", exif=exif.tobytes(), icc_profile=b"profile")
    upright = normalise(raw)
    assert b"home address" in raw and b"home address" not in upright
    assert Image.open(BytesIO(upright)).info["icc_profile"] == b"profile"


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_invalid_orientations_are_ignored(orientation):
    assert inspect(saved(picture(), "JPEG", orientation)).orientation == 1


def test_damaged_exif_is_ignored():
    raw = saved(picture(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert inspect(raw).ok and inspect(raw).orientation == 1


def test_a_multi_picture_file_of_a_phone_is_a_jpeg():
    out = BytesIO()
    picture().save(out, "MPO", save_all=True, append_images=[picture(20, 20)])
    info = inspect(out.getvalue())
    assert info.ok and (info.format, info.width) == ("JPEG", 48)
    assert Image.open(BytesIO(display_copy(out.getvalue(), 20))).size == (20, 13)


# --- refusals ------------------------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes, *, wrong: bool = False) -> bytes:
    """A PNG chunk, with a wrong checksum if asked."""
    checksum = zlib.crc32(kind + body) ^ (1 if wrong else 0)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def huge_png(width: int, height: int) -> bytes:
    """A small file whose header claims a gigantic size."""

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("raw", "limits", "problem"),
    [
        (b"", None, "the file is empty"),
        (b"<svg onload=alert(1)>", None, "the file is an SVG image, which is not accepted: convert it to JPEG or PNG"),
        (b"%PDF-1.4", None, "the file is a PDF document, which is not accepted"),
        (b"hello", None, "not an image in a known format (JPEG, PNG, WEBP, BMP, GIF)"),
        (saved(picture(), "TIFF"), None, "the file is a TIFF image, which is not accepted: convert it to JPEG or PNG"),
        (saved(picture()), Limits(max_bytes=100), "bytes, at most 100 are allowed"),
        (saved(picture()), Limits(max_pixels=1535), "the image is 48 x 32, at most 1,535 pixels are allowed"),
        (saved(picture()), Limits(max_side=40), "the image is 48 x 32"),
        (huge_png(12_000, 10_000), None, "the image is 12000 x 10000, at most 100,000,000 pixels are allowed"),
        (huge_png(60_000, 60_000), None, "the image is too large, at most 100,000,000 pixels are allowed"),
        (
            saved(picture(200, 200))[:-300],
            None,
            "the image is damaged (the file ends too early: 24 of its 200 rows are missing)",
        ),
        (saved(picture(), "PNG")[:-60], None, "the image is damaged"),
        (saved(picture(), "WEBP")[:-60], None, "damaged"),
    ],
)
def test_the_problem_of_an_unusable_file_is_named(raw, limits, problem):
    info = inspect(raw, limits)
    assert not info.ok and problem in info.problem, info


def test_decompression_bombs_are_refused_by_every_function():
    for open_it in (normalise, decode, lambda raw: display_copy(raw, 10)):
        for raw in (huge_png(12_000, 10_000), huge_png(60_000, 60_000), b"nothing"):
            with pytest.raises(ImageError):
                open_it(raw)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_animations_are_refused(format):
    out = BytesIO()
    picture().save(out, format, save_all=True, append_images=[picture().rotate(90)], duration=100)
    assert inspect(out.getvalue()).problem == f"the {format} is animated; only still images can be labeled"


@given(st.integers(0, 3), st.data())
def test_damaged_files_never_crash(kind, data):
    raw = bytearray(saved(picture(), ("JPEG", "PNG", "GIF", "BMP")[kind]))
    for _ in range(data.draw(st.integers(1, 12))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    info = inspect(cut)
    assert info.ok or info.problem
    for work in (normalise, lambda x: display_copy(x, 16)):
        try:
            work(cut)
        except ImageError as error:
            assert str(error)


# --- copies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_display_copies_are_small_upright_and_never_enlarged(format):
    small = Image.open(BytesIO(display_copy(saved(picture(400, 200), "JPEG", 6), 100, format=format)))
    assert (small.size, small.format, small.mode) == ((50, 100), format, "RGB")
    assert small.getexif().get(0x0112) is None
    assert Image.open(BytesIO(display_copy(saved(picture()), 1000))).size == (48, 32)
    with pytest.raises(ValueError, match="JPEG or WEBP"):
        display_copy(saved(picture()), 10, format="PNG")


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "CMYK"])
def test_every_mode_has_a_display_copy(mode):
    raw = saved(picture(mode=mode), "JPEG" if mode == "CMYK" else "PNG")
    assert Image.open(BytesIO(display_copy(raw, 20))).mode == "RGB"


def test_transparency_lies_on_white_and_deep_grey_is_scaled():
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert decode(saved(clear, "PNG"))[0].getpixel((3, 3)) == (255, 255, 255)
    deep = Image.fromarray(np.full((8, 8), 32768, dtype=np.uint16))
    assert decode(saved(deep, "PNG"))[0].getpixel((3, 3)) == (127, 127, 127)


def test_dark_sixteen_bit_grey_stays_dark():
    """The file says how deep it is; the brightest pixel says nothing."""
    values = np.array([[0, 200], [257, 65535]], np.uint16)
    assert np.asarray(decode(saved(Image.fromarray(values), "PNG"))[0])[..., 0].tolist() == [[0, 0], [1, 255]]


def test_a_picture_with_damaged_exif_is_decoded_as_it_is_stored():
    raw = saved(picture(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert decode(raw)[0].size == (48, 32)


def test_a_large_jpeg_may_be_decoded_smaller_and_keeps_its_size_in_the_answer():
    image, info = decode(saved(picture(640, 320), "JPEG", 6), needed_side=100)
    assert (info.width, info.height) == (320, 640)
    assert 100 <= image.width < 320 and image.height == 2 * image.width


def test_the_last_byte_and_the_last_pixel_are_allowed():
    raw = saved(picture(), "PNG")
    assert inspect(raw, Limits(max_bytes=len(raw), max_pixels=48 * 32)).ok
    assert not inspect(raw, Limits(max_bytes=len(raw) - 1)).ok
    assert not inspect(raw, Limits(max_pixels=48 * 32 - 1)).ok


# --- what browsers show ---------------------------------------------------------------------------------------------


def png_with(*chunks: bytes, image: Image.Image | None = None) -> bytes:
    """A PNG with these chunks after its header."""
    raw = saved(image or picture(), "PNG")
    return raw[:33] + b"".join(chunks) + raw[33:]


PACKED = zlib.compress(bytes(3_000_000))


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt", b"tEXt", b"pHYs", b"gAMA", b"tIME", b"prVt", b"eXIf"])
@pytest.mark.parametrize("body", [b"", b"\x00", b"name\x00\x00" + PACKED, b"name\x00\x01" + PACKED, b"x" * 2_000_000])
@pytest.mark.parametrize("wrong", [False, True])
def test_a_png_is_a_picture_whatever_its_metadata_are(kind, body, wrong):
    raw = png_with(chunk(kind, body, wrong=wrong))
    plain = saved(picture(), "PNG")
    assert inspect(raw) == inspect(plain)
    assert decode(raw)[0].tobytes() == decode(plain)[0].tobytes()
    assert normalise(raw) == raw
    assert display_copy(raw, 16) == display_copy(plain, 16)


def test_a_png_keeps_what_changes_its_picture():
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0)).quantize()
    clear.info["transparency"] = 0
    assert decode(png_with(chunk(b"zTXt", PACKED), image=clear))[0].getpixel((3, 3)) == (255, 255, 255)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = png_with(chunk(b"eXIf", exif.tobytes()[6:]), chunk(b"tEXt", b"a\x00b", wrong=True))
    assert (inspect(turned).orientation, inspect(turned).width) == (6, 32)
    profile = b"a profile of a usual size"
    kept = chunk(b"iCCP", b"name\x00\x00" + zlib.compress(profile))
    assert Image.open(BytesIO(normalise(turned[:33] + kept + turned[33:]))).info["icc_profile"] == profile


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"IEND"])
def test_a_png_whose_picture_is_damaged_is_refused_as_damaged(kind):
    raw = bytearray(saved(picture(), "PNG"))
    raw[raw.index(kind) + 5 if kind != b"IEND" else -6] ^= 0xFF
    problem = inspect(bytes(raw)).problem
    assert problem is None if kind == b"IEND" else problem.startswith("the image is damaged")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_what_begins_like_an_image_is_never_called_no_image(format):
    raw = saved(picture(), format)
    assert format_by_signature(raw[:SIGNATURE_BYTES]) == format
    for cut in range(SIGNATURE_BYTES, len(raw), max(1, len(raw) // 50)):
        assert "not an image" not in str(inspect(raw[:cut]).problem)
    assert "not an image" not in str(inspect(raw[:SIGNATURE_BYTES] + b"x" * 500).problem)
