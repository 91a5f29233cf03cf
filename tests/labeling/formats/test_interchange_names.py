"""Names inside exports: safe on every system, unique and reproducible, whatever the keys are."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.formats.interchange.items import LabeledImage
from labeling.formats.interchange.member_names import Names, safe_name
from labeling.formats.interchange.voc import write_voc
from labeling.formats.interchange.yolo import write_yolo
from labeling.formats.shapes import Box, ImageSize

SIZE = ImageSize(640, 480)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("s3://bucket/images/a b-1_(2).jpg", "images/a b-1_(2).jpg"),
        ("file:///data/a.jpg", "data/a.jpg"),
        ("train/ä.jpg", "train/ä.jpg"),
        ("train/a\u0308.jpg", "train/a\u0308.jpg"),
        ("新しい\u3000画像.jpg", "新しい\u3000画像.jpg"),
        ("café\xa0noir/👨\u200d🌾 farm.jpg", "café\xa0noir/👨\u200d🌾 farm.jpg"),
        ("객체데이터/" + "데이터" * 20 + ".jpg", "객체데이터/" + "데이터" * 20 + ".jpg"),
        ("50% & 'more' #2; $x.jpg", "50% & 'more' #2; $x.jpg"),
    ],
)
def test_safe_keys_keep_their_names(source, expected):
    assert safe_name(source) == expected


WILD = [
    "s3://b/../../etc/passwd",
    "s3://b//etc/passwd",
    "/etc/passwd",
    "s3://b/a/../../x",
    "..\\..\\x.jpg",
    "C:\\windows\\x",
    "s3://b/con.jpg",
    "s3://b/nul",
    "s3://b/.htaccess",
    "s3://b/-rf",
    "s3://b/a\x00b\n.jpg",
    "s3://b/" + "x" * 300 + ".jpg",
    "s3://b/" + "d/" * 300 + "x.jpg",
    "s3://b/",
    "s3://b/...",
    "s3://b/x. ",
    "s3://b/a:b*?.jpg",
    "",
    "s3://b/" + "🐝" * 100,
]


def harmless(name: str) -> None:
    assert name and not name.startswith(("/", "-")) and "\\" not in name and ":" not in name
    assert all(ord(sign) >= 32 and sign != "\x7f" for sign in name)
    for part in name.split("/"):
        assert part and part.strip(". ") and not part.startswith(".") and len(part.encode()) <= 230
        assert part.split(".")[0].lower() not in ("con", "nul", "prn", "aux", "com1")


@pytest.mark.parametrize("source", WILD)
def test_unsafe_keys_get_safe_names(source):
    harmless(safe_name(source))
    harmless(Names().take(source, suffix=".txt"))
    assert safe_name(source) == safe_name(source)


@given(st.text(max_size=60), st.sampled_from(["", "s3://b/", "file:///"]))
def test_any_key_gets_a_safe_name(key, scheme):
    harmless(safe_name(scheme + key))
    for name in Names().take_pair(scheme + key):
        harmless(name)


@given(
    st.lists(
        st.sampled_from(["s3://b/a.jpg", "s3://b/a.png", "s3://c/a.jpg", "s3://b/A.JPG", "s3://b/a", *WILD]),
        max_size=12,
    )
)
def test_names_are_unique_even_without_case_and_the_same_every_time(sources):
    given_out = [Names().take(source) for source in sources[:1]]
    first, second = Names(), Names()
    stems = [first.take_pair(source)[0] for source in sources]
    assert len({stem.casefold() for stem in stems}) == len(sources)
    assert stems == [second.take_pair(source)[0] for source in sources]
    assert given_out == [Names().take(source) for source in sources[:1]]


@pytest.mark.parametrize("write", [write_voc, write_yolo])
@pytest.mark.parametrize(
    "sources",
    [
        ["a", "a/b.jpg", "a/b.jpg/c.jpg", "a.txt/x.jpg", "a.xml/x.jpg", "a.jpg"],
        ["a/b.jpg/c.jpg", "a/b.jpg", "a", "A"],
        ["x.jpg", "x.png", "x.jpg.2024-01", "x.jpg.png", "x"],
        ["ä.jpg", "a\u0308.jpg", "Ä.jpg"],
    ],
)
def test_no_file_has_the_name_of_a_folder_or_of_another_file(write, sources, tmp_path):
    out = io.BytesIO()
    write([LabeledImage(source, SIZE, content=source.encode()) for source in sources], out, labels=["a"])
    archive = zipfile.ZipFile(out)
    archive.extractall(tmp_path)
    index = [json.loads(line) for line in archive.read("images.jsonl").splitlines()]
    assert [(tmp_path / entry["file"]).read_bytes() for entry in index] == [source.encode() for source in sources]
    labels = [path for path in tmp_path.rglob("*") if path.is_file() and path.parts[-2] != "Main"]
    assert len([p for p in labels if {"labels", "Annotations"} & set(p.parts)]) == len(sources)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("photo.jfif", b"\xff\xd8\xff\xe0", "images/train/photo.jpeg"),
        ("3f0c9a8e-0001", b"\x89PNG\r\n\x1a\n", "images/train/3f0c9a8e-0001.png"),
        ("a.b/c", b"BM", "images/train/a.b/c.bmp"),
        ("photo.JPG", b"\x89PNG\r\n\x1a\n", "images/train/photo.JPG"),
        ("photo.jfif", None, "images/train/photo.jfif"),
    ],
)
def test_a_yolo_image_has_an_ending_that_trainers_look_for(name, content, expected):
    out = io.BytesIO()
    write_yolo([LabeledImage("s3://b/x", SIZE, name=name, content=content)], out, labels=["a"])
    (entry,) = zipfile.ZipFile(out).read("images.jsonl").splitlines()
    assert json.loads(entry)["file"] == expected


@pytest.mark.parametrize("write", [write_voc, write_yolo])
def test_no_archive_member_leads_out_of_its_folder(write, tmp_path):
    out = io.BytesIO()
    images = [LabeledImage(source, SIZE, (Box("a", 0, 0, 1, 1),), content=source.encode()) for source in [*WILD, *WILD]]
    write(images, out, labels=["a"])
    with zipfile.ZipFile(out) as archive:
        members = archive.namelist()
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    assert len({name.casefold() for name in members}) == len(members)
    for name in members:
        harmless(name)
        assert (tmp_path / name).resolve().is_relative_to(tmp_path)
    index = [json.loads(line) for line in zipfile.ZipFile(out).read("images.jsonl").splitlines()]
    assert [entry["source-ref"] for entry in index] == [*WILD, *WILD]
    assert all((tmp_path / entry["file"]).read_bytes() == entry["source-ref"].encode() for entry in index)


@pytest.mark.parametrize("write", [write_voc, write_yolo])
def test_archives_need_no_seekable_stream_and_are_reproducible(write):
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.parts: list[bytes] = []

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            self.parts.append(bytes(data))
            return len(self.parts[-1])

    images = [LabeledImage(f"s3://b/{n}.jpg", SIZE, (Box("a", 0, 0, 1, 1),)) for n in range(50)]
    pipes = [Pipe(), Pipe()]
    for pipe in pipes:
        write(iter(images), pipe, labels=["a"])
    first, second = (b"".join(pipe.parts) for pipe in pipes)
    assert first == second
    assert zipfile.ZipFile(io.BytesIO(first)).testzip() is None
