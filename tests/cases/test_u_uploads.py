"""Files of an upload by REST: how many, names of any script, two of one name, endings that Windows and S3 keys have."""

import io
from pathlib import Path

import pytest
from PIL import Image

from tests import builders
from tests.cases.conftest import put_pictures
from tests.cases.requesters import MULTIPART, Requester, states
from tests.frontend.test_uploads import BOUNDARY, form_of

pytestmark = pytest.mark.django_db


def test_u01_more_than_100_files_in_one_request(case: Path, requester: Requester) -> None:
    files = [(f"{number:03}.png", builders.image_bytes(number=number)) for number in range(150)]
    problem = requester.upload(files, status=413)
    assert "at most 100 files: send the others in further requests with the `folder`" in problem["detail"]


def test_u02_chinese_names_collide_on_upload(case: Path, requester: Requester) -> None:
    files = sorted((path.name, path.read_bytes()) for path in case.glob("*.jpg"))
    made = requester.uploaded(files)
    assert len(files) == 3
    assert (sorted(zip(made.names, made.contents, strict=True)), made.refused) == (files, [])


def test_u03_same_name_from_two_folders_on_upload(case: Path, requester: Requester) -> None:
    files = [("IMG_0001.jpg", path.read_bytes()) for path in sorted(case.glob("*.jpg"))]
    made = requester.uploaded(files)
    assert (made.names, sorted(made.contents)) == (["IMG_0001.jpg"] * 2, sorted(content for _, content in files))
    exported = requester.export(requester.job(made), "manifest", images=True)
    assert len(exported.files) == 2 and "images/IMG_0001.jpg" in exported.files


def test_u05_jfif_extension(case: Path, requester: Requester) -> None:
    files = [(path.name, path.read_bytes()) for path in sorted(case.iterdir()) if path.name != "README"]
    made = requester.uploaded(files)
    assert (made.names, made.refused) == (["photo.jfif", "photo.jpe"], [])
    assert requester.job(made).objects_total == 2


def test_u07_no_extension(case: Path, requester: Requester, field: str) -> None:
    uris = [f"{field}/run2/u07/3f0c9a8e-000{number}" for number in range(3)]
    put_pictures(*uris)
    made = requester.dataset("prefix", f"{field}/run2/u07/")
    assert ([line["source-ref"] for line in made.lines], made.refused) == (uris, [])
    assert requester.job(made).objects_total == 3


# --- other uploads of the same kinds --------------------------------------------------------------------------------


def numbered(*names: str) -> list[tuple[str, bytes]]:
    return [(name, builders.image_bytes(number=number)) for number, name in enumerate(names)]


@pytest.mark.parametrize(
    "names",
    [
        ["фото.jpg", "мото.jpg", "лото.jpg"],
        ["ثلاثة.png", "أربعة.png", "خمسة.png"],
        ["สวัสดี.png", "ลาก่อน.png"],
        ["벌집.jpg", "꿀벌.jpg", "말벌.jpg"],
        ["🐝.png", "🐜.png", "🐞.png"],
        ["ａ.png", "a.png", "á.png", "à.png"],
        ["cam1/IMG.jpg", "cam2/IMG.jpg", "cam1\\IMG.jpg"],
        ["12:30:57.jpg", "12_30_57.jpg", "12-30-57.jpg"],
        ["a.png", "a.png", "a.png", "a.png"],
        ["a b.png", "a\u00a0b.png", "a\u3000b.png", "a  b.png"],
        ['a"b.png', "a%22b.png", "a;b.png", "a'b.png", "a=b.png"],
        ["..", "../a.png", "/", "C:\\a.png", "con"],
    ],
)
def test_files_of_any_name_stay_as_many_as_they_are(requester: Requester, names: list[str]) -> None:
    files = numbered(*names)
    made = requester.uploaded(files)
    assert (sorted(zip(made.names, made.contents, strict=True)), made.refused) == (sorted(files), [])
    exported = requester.export(requester.job(made), "manifest", images=True)
    assert len({name.casefold() for name in exported.files}) == len(names)
    assert sorted(exported.archive.read(name) for name in exported.files) == sorted(made.contents)


BY_CONTENT = {
    "photo.JFIF": "JPEG",
    "photo.pjpeg": "JPEG",
    "photo.jpg_large": "JPEG",
    "photo.jpg.webp": "WEBP",
    "photo.png": "JPEG",
    "photo.jpg": "PNG",
    "photo.dib": "BMP",
    "photo.txt": "GIF",
    "image": "WEBP",
    "2024.01.30": "PNG",
    "0b8a6c1e-7d1f-4c3b-9c69-3a3c0c1f5a11": "JPEG",
    "photo.jpg?size=large": "JPEG",
}


def test_an_image_is_known_by_its_content(requester: Requester) -> None:
    files = []
    for name, form in BY_CONTENT.items():
        buffer = io.BytesIO()
        Image.new("RGB", (48, 32), "orange").save(buffer, form)
        files.append((name, buffer.getvalue()))
    made = requester.uploaded(files)
    job = requester.job(made)
    assert (sorted(made.names), set(states(job))) == (sorted(BY_CONTENT), {"PendingHuman"})
    rows = requester.get(f"labeling-jobs/{job.pk}/objects?page_size=50")["results"]
    shown = {row["source_name"]: requester.client.get(row["image_url"])["Content-Type"] for row in rows}
    assert shown == {name: f"image/{form.lower()}" for name, form in BY_CONTENT.items()}


NO_IMAGES = {
    "IMG_1.HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is a HEIC image, which is not accepted: convert it"),
    "scan.tif": (b"II*\0\x08\0\0\0", "is a TIFF image, which is not accepted: convert it to JPEG or PNG"),
    "photo": (b"\0\0\0\x1cftypavif\0\0\0\0", "is an AVIF image, which is not accepted: convert it to JPEG or PNG"),
    "drawing.svg": (b"<svg xmlns='x'/>", "is an SVG image, which is not accepted: convert it to JPEG or PNG"),
    "paper.pdf": (b"%PDF-1.7", "is a PDF document, which is not accepted: images are JPEG, PNG, WEBP, BMP, GIF"),
    "clip.mp4": (b"\0\0\0\x18ftypmp42\0\0\0\0", "is a video, which is not accepted"),
    "set.7z": (b"7z\xbc\xaf\x27\x1c\0\4", "is a 7-Zip archive: unpack it first"),
    "notes.txt": (b"hello", "is not an image by its content (JPEG, PNG, WEBP, BMP, GIF)"),
    "empty": (b"", "is empty"),
}


def test_what_is_no_image_is_named_with_the_way_out(requester: Requester) -> None:
    files = [(name, content) for name, (content, _) in NO_IMAGES.items()]
    made = requester.uploaded([*files, ("a.png", builders.image_bytes())])
    assert (made.row["objects_total"], len(made.refused)) == (1, len(NO_IMAGES))
    for name, (_, said) in NO_IMAGES.items():
        assert any(line.reason.startswith(f"{name} ") and said in line.reason for line in made.refused), name


def test_many_files_come_in_several_requests(requester: Requester) -> None:
    files = numbered(*(f"{number:03}.png" for number in range(130)))
    folder = requester.upload(files[:100])
    body = form_of(files[100:]).replace(
        f"--{BOUNDARY}--".encode(),
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="folder"\r\n\r\n{folder["folder"]}\r\n'
        f"--{BOUNDARY}--".encode(),
    )
    assert requester.client.generic("POST", "/api/v1/uploads", body, content_type=MULTIPART).status_code == 201
    made = requester.dataset("folder", folder["uri"])
    assert (made.names, made.refused) == ([name for name, _ in files], [])
