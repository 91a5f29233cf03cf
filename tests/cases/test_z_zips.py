"""Zip archives of other tools: separators, scripts, colons, methods, names that differ by case."""

import gzip
import io
import json
import struct
import tarfile
import unicodedata
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest

from tests import builders
from tests.cases.requesters import Requester

pytestmark = pytest.mark.django_db


def test_z01_zip_with_backslashes(case: Path, requester: Requester) -> None:
    made = requester.zipped((case / "pics.zip").read_bytes())
    assert (made.names, made.refused) == (["set/train/a.jpg", "set/train/b.jpg"], [])
    exported = requester.export(requester.job(made), "manifest", images=True)
    assert exported.files == ["images/set/train/a.jpg", "images/set/train/b.jpg"]


def test_z03_zip_with_cjk_and_emoji_names(case: Path, requester: Requester) -> None:
    made = requester.zipped((case / "pics.zip").read_bytes())
    names = ["新しい\u3000画像.jpg", "café\xa0noir.jpg", "👨\u200d🌾 farm.jpg", "객체데이터.jpg", "a\xadb.jpg"]
    assert (made.names, made.refused) == (names, [])
    exported = requester.export(requester.job(made), "manifest", images=True)
    assert exported.files == [f"images/{name}" for name in names]


def test_z05_zip_with_colons(case: Path, requester: Requester) -> None:
    made = requester.zipped((case / "pics.zip").read_bytes())
    assert made.names == ["test_2016-01-27_15:07:47.png", "run 12:30/a.jpg", "x/12:30:57.jpg"]
    assert made.refused == []
    exported = requester.export(requester.job(made), "manifest", images=True)
    assert len(exported.files) == 3 and not any(":" in name for name in exported.files)


def test_z06_zip_deflate64(case: Path, requester: Requester) -> None:
    made = requester.zipped((case / "pics.zip").read_bytes(), status="Failed")
    assert "Deflate64" in made.row["failure_reason"] and "method Deflate" in made.row["failure_reason"]


def test_z07_zip_names_differ_by_case(case: Path, requester: Requester) -> None:
    made = requester.zipped((case / "pics.zip").read_bytes())
    assert made.names == ["s/IMG_1.jpg", "s/IMG_1.png", "s/img_1.JPG", "t/IMG_1.jpg"]
    assert made.refused == []
    exported = requester.export(requester.job(made), "manifest", images=True)
    assert len({name.casefold() for name in exported.files}) == 4
    assert [exported.archive.read(name) for name in exported.files] == made.contents


# --- other archives of the same kinds -------------------------------------------------------------------------------


def packed(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive with these members."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def with_header(archive: bytes, value: int, *, local: int, central: int) -> bytes:
    """The archive of one member with another number in both of its headers."""
    changed = bytearray(archive)
    for signature, place in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        at = changed.index(signature) + place
        changed[at : at + 2] = struct.pack("<H", value)
    return bytes(changed)


def pictures(*names: str) -> list[tuple[str, bytes]]:
    return [(name, builders.image_bytes(number=number)) for number, name in enumerate(names)]


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (["set\\a.png", "set\\sub\\b.png"], ["set/a.png", "set/sub/b.png"]),
        (["\\\\server\\share\\a.png"], ["//server/share/a.png"]),
        (["D:\\set\\a.png"], ["D:/set/a.png"]),
        (["./a.png", "../b.png", "/c.png", "a/../../d.png"], ["./a.png", "../b.png", "/c.png", "a/../../d.png"]),
        (["مرحبا.png", "ภาพ.png", "תמונה.png", "चित्र.png", "фото.png"], None),
        (["ｆｕｌｌ　ｗｉｄｔｈ.png", "zero\u200bwidth.png", "thin\u2009space.png", "a\u202egnp.png"], None),
        (["🏳️‍🌈.png", "👍🏽 ok.png", "1️⃣.png"], None),
        (["é.png", "e\u0301.png"], None),
        (["a|b.png", "a*b.png", "a?b.png", 'a"b.png', "a<b>.png", "con.png", "a.png.", " a.png "], None),
        (["a.png", "A.png", "a.PNG", "A.PNG", "a.png"], None),
        (["a", "a/b", "a/b/c"], None),
        (["x" * 250 + ".png", "y/" * 100 + "z.png"], None),
    ],
)
def test_names_of_any_look_are_kept_and_exported_apart(
    requester: Requester, names: list[str], kept: list[str] | None, tmp_path: Path
) -> None:
    files = pictures(*names)
    made = requester.zipped(packed(*files))
    assert (made.names, made.refused) == (kept or names, [])
    assert made.contents == [content for _, content in files]
    archive = requester.export(requester.job(made), "manifest", images=True).archive
    archive.extractall(tmp_path)
    written = [json.loads(line)["file"] for line in archive.read("images.jsonl").splitlines()]
    assert [(tmp_path / name).read_bytes() for name in written] == made.contents
    assert len({unicodedata.normalize("NFC", name).casefold() for name in written}) == len(names)
    assert all((tmp_path / name).resolve().is_relative_to(tmp_path) for name in written)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_that_can_be_unpacked_are(requester: Requester, method: int) -> None:
    files = pictures("a.png", "b.png")
    made = requester.zipped(packed(*files, method=method))
    assert (made.contents, made.refused) == ([content for _, content in files], [])


@pytest.mark.parametrize(("number", "name"), [(93, "Zstandard"), (95, "XZ"), (98, "PPMd"), (6, "method 6")])
def test_other_methods_are_named_with_the_way_out(requester: Requester, number: int, name: str) -> None:
    archive = with_header(packed(*pictures("a.png")), number, local=8, central=10)
    reason = requester.zipped(archive, status="Failed").row["failure_reason"]
    assert f"is packed with {name}, which cannot be unpacked: pack the archive again with the method Deflate" in reason


def test_an_encrypted_archive_is_named_with_the_way_out(requester: Requester) -> None:
    archive = with_header(packed(*pictures("a.png")), 1, local=6, central=8)
    reason = requester.zipped(archive, status="Failed").row["failure_reason"]
    assert "is encrypted: pack the archive again without a password" in reason


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.png"), io.BytesIO())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(40), "it is a 7-Zip archive): pack the files into a zip archive"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(40), "it is a RAR archive): pack the files into a zip archive"),
        (tar(), "it is a tar archive): pack the files into a zip archive"),
        (gzip.compress(tar(), mtime=0), "it is a gzip archive): pack the files into a zip archive"),
        (b"<html>404</html>", "it is an HTML page"),
        (builders.image_bytes(), "it is a PNG image"),
        (packed(*pictures("a.png"))[:-30], "damaged or was cut off"),
        (packed(("inner.zip", packed(*pictures("a.png")))), "is a zip archive: unpack it first"),
    ],
)
def test_a_file_that_is_no_archive_of_images_is_named_with_the_way_out(
    requester: Requester, archive: bytes, said: str
) -> None:
    assert said in requester.zipped(archive, status="Failed").row["failure_reason"]


class SystemName(zipfile.ZipInfo):
    """A member whose name is written in the encoding of a system, without saying in which."""

    encoding = "gbk"

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's own name
        return self.filename.encode(self.encoding), self.flag_bits & ~0x800


def test_a_name_in_utf_8_beside_the_one_of_the_system_is_read(requester: Requester) -> None:
    """As archivers on Windows write it: the old name in the system's encoding, the other in the extra field 0x7075."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, name in enumerate(("蜜蜂.png", "黄蜂.png", "峰.png")):
            info = SystemName(name)
            checksum = zlib.crc32(name.encode("gbk")) if number != 1 else 7
            body = b"\x01" + struct.pack("<I", checksum) + name.encode()
            info.extra = struct.pack("<HH", 0x7075, len(body)) + body if number != 2 else b""
            archive.writestr(info, builders.image_bytes(number=number))
    old = [name.encode("gbk").decode("cp437") for name in ("黄蜂.png", "峰.png")]
    assert requester.zipped(buffer.getvalue()).names == ["蜜蜂.png", *old]
