"""model.tar.gz: reproducible bytes, and safe reading of untrusted archives."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from learning.contract import MODEL_FILES, BadInput
from learning.serving import archive


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in MODEL_FILES:
        (folder / name).write_bytes(name.encode() * 100)
    return folder


def test_equal_files_give_equal_bytes(model: Path, tmp_path: Path) -> None:
    archive.pack_model(model, tmp_path / "a.tar.gz")
    for name in MODEL_FILES:
        os.utime(model / name, (1, 1))
        (model / name).chmod(0o600)
    (model / "notes.txt").write_text("not part of it")
    archive.pack_model(model, tmp_path / "b.tar.gz")
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()

    archive.unpack_model(tmp_path / "a.tar.gz", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(MODEL_FILES)
    assert (tmp_path / "out" / "config.json").read_bytes() == (model / "config.json").read_bytes()


def test_a_missing_file_is_named(model: Path, tmp_path: Path) -> None:
    (model / "model.onnx").unlink()
    with pytest.raises(BadInput, match="model.onnx is missing"):
        archive.pack_model(model, tmp_path / "a.tar.gz")


def test_members_with_paths_or_links_that_lead_out_are_not_unpacked(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    hostile = tmp_path / "hostile.tar.gz"
    with tarfile.open(hostile, "w:gz") as opened:
        leading_out = tarfile.TarInfo("../escaped")
        leading_out.size = 3
        opened.addfile(leading_out, io.BytesIO(b"out"))
        for name in MODEL_FILES:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, str(secret)
            opened.addfile(link)
    with pytest.raises(BadInput, match="lacks config.json, model.onnx, model.safetensors"):
        archive.unpack_model(hostile, tmp_path / "deep" / "out")
    assert not (tmp_path / "deep" / "escaped").exists()
    assert list((tmp_path / "deep" / "out").iterdir()) == []


def test_damaged_and_too_large_archives_are_refused(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.pack_model(model, tmp_path / "a.tar.gz")
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 1500)
    with pytest.raises(BadInput, match="more than 1500 bytes"):
        archive.unpack_model(tmp_path / "a.tar.gz", tmp_path / "out")
    (tmp_path / "b.tar.gz").write_bytes((tmp_path / "a.tar.gz").read_bytes()[:60])
    with pytest.raises(BadInput, match="not a readable model archive"):
        archive.unpack_model(tmp_path / "b.tar.gz", tmp_path / "out")
