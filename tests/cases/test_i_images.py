"""Pictures that every browser shows although something beside their pixels is large, odd or damaged."""

import io
import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from labeling.models import DataObject
from tests import builders
from tests.cases.requesters import Files, Requester, states

pytestmark = pytest.mark.django_db


def is_an_ordinary_picture(requester: Requester, name: str, content: bytes) -> DataObject:
    """It is taken in, measured, shown to people as a picture, and labeled."""
    made = requester.uploaded([(name, content)])
    job = requester.job(made)
    row = DataObject.objects.get(job=job)
    assert (row.state, row.failure_reason) == ("PendingHuman", "")
    shown = requester.client.get(image_url(requester, job))
    assert (shown.content, shown["Content-Type"][:6]) == (content, "image/")
    assert requester.client.get(image_url(requester, job) + "?side=64")["Content-Type"] == "image/jpeg"
    width, height = row.width, row.height
    size = {"width": width, "height": height}
    box = {"left": 0, "top": 0, "width": width, "height": height, "label": "bee"}
    job = requester.box_everything(job, {"boundingBox": {"boundingBoxes": [box], "inputImageProperties": size}})
    assert (job.status, states(job)) == ("Completed", ["HumanLabeled"])
    return row


def image_url(requester: Requester, job) -> str:
    (row,) = requester.get(f"labeling-jobs/{job.pk}/objects")["results"]
    return row["image_url"]


def test_i01_big_icc_png(case: Path, requester: Requester) -> None:
    is_an_ordinary_picture(requester, "big-icc.png", (case / "big-icc.png").read_bytes())


def test_i02_big_ztxt_png(case: Path, requester: Requester) -> None:
    is_an_ordinary_picture(requester, "big-ztxt.png", (case / "big-ztxt.png").read_bytes())


def test_i05_cut_23_bytes_jpg(case: Path, requester: Requester) -> None:
    is_an_ordinary_picture(requester, "cut-23-bytes.jpg", (case / "cut-23-bytes.jpg").read_bytes())


def test_i17_bad_crc_png(case: Path, requester: Requester) -> None:
    is_an_ordinary_picture(requester, "bad-crc.png", (case / "bad-crc.png").read_bytes())


# --- other pictures of the same kinds -------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes, checksum: int | None = None) -> bytes:
    """A chunk of a PNG, by default with the right checksum."""
    right = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", right if checksum is None else checksum)


def png_with(*chunks: bytes) -> bytes:
    """A PNG with these chunks after its header."""
    plain = builders.image_bytes(size=(120, 80))
    return plain[:33] + b"".join(chunks) + plain[33:]


LARGE = bytes(3_000_000)
PNGS = {
    "text": chunk(b"tEXt", b"a\0" + LARGE),
    "packed text": chunk(b"zTXt", b"a\0\0" + zlib.compress(LARGE * 4)),
    "international text": chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(LARGE * 4)),
    "many texts": chunk(b"tEXt", b"a\0b") * 5000,
    "profile": chunk(b"iCCP", b"a\0\0" + zlib.compress(LARGE)),
    "damaged profile": chunk(b"iCCP", b"a\0\0no zlib"),
    "provenance": chunk(b"caBX", LARGE),
    "private": chunk(b"prVt", LARGE),
    "exif": chunk(b"eXIf", b"MM\0*" + LARGE),
    **{
        f"checksum of {kind.decode()}": chunk(kind, b"\0" * 9, 1)
        for kind in (b"tEXt", b"pHYs", b"iCCP", b"tIME", b"eXIf")
    },
    **{
        f"empty {kind.decode()}": chunk(kind, b"")
        for kind in (b"gAMA", b"sRGB", b"cHRM", b"pHYs", b"tRNS", b"hIST", b"bKGD")
    },
}


def are_pictures(requester: Requester, files: Files) -> None:
    """All of them are taken in and can be shown, small ones too."""
    job = requester.job(requester.uploaded(files))
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    assert {row.source_name: row.failure_reason for row in rows if row.failure_reason} == {}
    assert sorted(row.source_name for row in rows) == sorted(name for name, _ in files)
    for row in requester.get(f"labeling-jobs/{job.pk}/objects?page_size=50")["results"]:
        assert requester.client.get(row["image_url"] + "?side=64")["Content-Type"] == "image/jpeg", row


def test_a_png_is_a_picture_whatever_is_beside_its_pixels(requester: Requester) -> None:
    are_pictures(requester, [(f"{what}.png", png_with(chunks)) for what, chunks in PNGS.items()])


def jpeg(**options) -> bytes:
    buffer = io.BytesIO()
    noise = random.Random(7).randbytes(400 * 300)
    Image.frombytes("L", (400, 300), noise).convert("RGB").save(buffer, "JPEG", **options)
    return buffer.getvalue()


JPEGS = {
    "no end": jpeg()[:-2],
    "half an end": jpeg()[:-1],
    "cut by 23 bytes": jpeg()[:-23],
    "cut by 200 bytes": jpeg()[:-200],
    "progressive and cut": jpeg(progressive=True)[:-500],
    "with a thumbnail and cut": jpeg()[:2] + b"\xff\xe1\x00\x0eExif\0\0\xff\xd8\xff\xd9\0\0" + jpeg()[2:-20],
    "followed by zeros": jpeg() + bytes(10_000),
    "followed by another file": jpeg() + builders.image_bytes(),
    "damaged exif": jpeg()[:2] + b"\xff\xe1\x00\x10Exif\0\0MM\0*bad!" + jpeg()[2:],
    "damaged profile": jpeg()[:2] + b"\xff\xe2\x00\x12ICC_PROFILE\0\1\1xx" + jpeg()[2:],
    "large comment": jpeg()[:2] + (b"\xff\xfe\xff\xff" + bytes(65_533)) * 40 + jpeg()[2:],
}


def test_a_jpeg_is_a_picture_although_its_end_or_its_header_is_odd(requester: Requester) -> None:
    are_pictures(requester, [(f"{what}.jpg", content) for what, content in JPEGS.items()])


DAMAGED = {
    "half.jpg": (jpeg()[: len(jpeg()) // 2], "the image is damaged (the file ends too early: "),
    "half.png": (builders.image_bytes()[:60], "the image is damaged"),
    "header.png": (b"\x89PNG\r\n\x1a\n" + bytes(50), "the image is damaged (it begins like a PNG, its header cannot"),
    "header.jpg": (b"\xff\xd8\xff\xe0" + bytes(50), "the image is damaged (it begins like a JPEG, its header cannot"),
    "heic.jpg": (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "the file is a HEIC image, which is not accepted: convert it to JPEG or PNG",
    ),
}


def test_a_damaged_picture_is_never_called_no_image_and_the_rest_goes_on(requester: Requester) -> None:
    files = [(name, content) for name, (content, _) in DAMAGED.items()]
    job = requester.job(requester.uploaded([*files, ("whole.png", builders.image_bytes())]))
    assert sorted(states(job)) == ["Failed"] * len(DAMAGED) + ["PendingHuman"]
    for row in DataObject.objects.filter(job=job, state="Failed"):
        assert row.failure_reason.startswith(DAMAGED[row.source_name][1]), row.failure_reason
        assert "not an image" not in row.failure_reason
