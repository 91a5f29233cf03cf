"""Zip archives of other tools: separators, scripts, colons, methods, names that differ by case."""

from pathlib import Path

import pytest

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
