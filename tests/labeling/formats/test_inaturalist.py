"""Exports of iNaturalist: columns by name, licences as they are written, bad rows with their lines."""

import io
import zipfile

import pytest

from labeling.formats import inaturalist
from labeling.formats.inaturalist import ALL_RIGHTS_RESERVED, BadRow, Observation

HEADER = "id,observed_on,user_login,user_name,license,url,image_url,species_guess,scientific_name,common_name"
ROW = (
    "17,2026-05-01,ana,Ana Bee,CC-BY,https://www.inaturalist.org/observations/17,"
    "https://inaturalist-open-data.s3.amazonaws.com/photos/1/medium.jpg,Bee,Apis mellifera,Western Honey Bee"
)


def read(text: str | bytes) -> list[Observation | BadRow]:
    return list(inaturalist.read(io.BytesIO(text if isinstance(text, bytes) else text.encode())))


def test_a_row_says_who_took_the_picture_and_what_is_permitted():
    (found,) = read(f"\ufeff{HEADER}\r\n{ROW}\r\n")
    assert isinstance(found, Observation)
    assert found.members() == {
        "attribution": {
            "license": "CC-BY",
            "author": "Ana Bee",
            "url": "https://www.inaturalist.org/observations/17",
            "image-url": "https://inaturalist-open-data.s3.amazonaws.com/photos/1/medium.jpg",
        },
        "inaturalist-id": "17",
        "observed-on": "2026-05-01",
        "scientific-name": "Apis mellifera",
        "common-name": "Western Honey Bee",
    }


def test_columns_are_found_by_name_in_any_order_and_few_are_needed():
    (found,) = read("License, IMAGE_URL,id\n,https://x.example/a.jpg,5\n")
    assert isinstance(found, Observation)
    assert (found.license, found.url) == (ALL_RIGHTS_RESERVED, "https://www.inaturalist.org/observations/5")
    assert found.members()["attribution"] == {
        "license": ALL_RIGHTS_RESERVED,
        "url": "https://www.inaturalist.org/observations/5",
        "image-url": "https://x.example/a.jpg",
    }


def test_bad_rows_are_named_and_the_others_are_read():
    rows = [
        "https://x.example/a.jpg,CC0,1",
        ",CC0,2",
        "ftp://x.example/a.jpg,CC0,3",
        "https://x.example/a.jpg,GPL,4",
        "https://x.example/a.jpg,CC0",
        '"https://x.example/\nb.jpg",CC0,6',
        "https://[x/a.jpg,CC0,7",
    ]
    found = read("image_url,license,id\n" + "\n".join(rows) + "\n")
    assert [row.line for row in found if isinstance(row, Observation)] == [2, 8]
    bad = {row.line: row.reason for row in found if isinstance(row, BadRow)}
    assert bad[3] == "has no image_url"
    assert bad[4] == "image_url: https://host/... expected"
    assert bad[5].startswith("the license 'GPL' is none of CC0, CC-BY")
    assert bad[6] == "has 2 cells, the first line has 3"
    assert 9 in bad


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CC-BY-NC", "CC-BY-NC"),
        ("cc-by", "CC-BY"),
        ("CC BY-SA 4.0", "CC-BY-SA"),
        ("CC-BY-NC-4.0", "CC-BY-NC"),
        ("CC0-1.0", "CC0"),
        ("http://creativecommons.org/licenses/by-nc-nd/4.0/", "CC-BY-NC-ND"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0"),
        ("", ALL_RIGHTS_RESERVED),
    ],
)
def test_licences_are_known_by_name_and_by_address(text, expected):
    assert inaturalist.license_of(text) == expected


def test_the_zip_that_inaturalist_sends_is_read_as_it_is():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("observations-1.csv", f"{HEADER}\n{ROW}\n")
    assert [row.line for row in read(buffer.getvalue())] == [2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the column 'image_url' is missing in the first line, which has: nothing"),
        (b"image_url,licence\n", "the column 'license' is missing in the first line, which has: image_url, licence"),
        (b"%PDF-1.7 ", "is a PDF document; a CSV file"),
        (b"PK\x03\x04broken", "the zip file cannot be unpacked"),
    ],
)
def test_a_file_that_is_no_export_is_refused(content, reason):
    with pytest.raises(ValueError, match=reason):
        read(content)
