"""Addresses in the installation's own store: kept relative to it, whole everywhere else."""

import io
import json

import pytest

from marketplace import addresses
from marketplace.addresses import MovedLines


@pytest.fixture(autouse=True, params=["file:///old/store", "s3://old-bucket/waggle", "s3://old-bucket/waggle/"])
def store(request, settings):
    settings.STORE_URL = request.param
    return request.param.rstrip("/")


def test_an_address_in_the_store_follows_it(store, settings):
    kept = addresses.relative(f"{store}/accounts/1/a%20b.png")
    assert kept == "store:accounts/1/a%20b.png"
    settings.STORE_URL = "s3://elsewhere"
    assert addresses.absolute(kept) == "s3://elsewhere/accounts/1/a%20b.png"


@pytest.mark.parametrize("uri", ["", "s3://bees/1.png", "https://example.org/1.png", "file:///old/storey/1.png"])
def test_other_addresses_are_kept_as_they_are(uri):
    assert addresses.relative(uri) == uri == addresses.absolute(uri)


@pytest.mark.parametrize(
    "line",
    [
        '{"source-ref":"STORE/1.png"}',
        '{ "a": 1.50 , "source-ref" :  "STORE/1.png", "t": "\\u00fc STORE/ \\/" }',
        '{"source-ref": "s3://bees/1.png", "note": "STORE/1.png"}',
        '{"source": "see store:1 STORE/2"}',
    ],
)
def test_a_line_comes_back_byte_for_byte(store, settings, line):
    line = line.replace("STORE", store)
    kept = addresses.relative_line(line)
    assert ('"store:' in kept) == (f'"{store}/' in line and '"note"' not in line)
    assert addresses.absolute_line(kept) == line


def test_json_and_lines_follow_the_store(store, settings):
    value = {"uri": f"{store}/a", "deep": [{"manifest_uri": f"{store}/b", "text": f"{store}/c"}], "n": 1}
    kept = addresses._each_address(value, addresses.relative)
    assert kept == {"uri": "store:a", "deep": [{"manifest_uri": "store:b", "text": f"{store}/c"}], "n": 1}
    line = addresses.relative_line(json.dumps({"source-ref": f"{store}/a"}))
    settings.STORE_URL = "s3://new"
    assert addresses._each_address(kept, addresses.absolute)["deep"][0]["manifest_uri"] == "s3://new/b"
    assert json.loads(addresses.absolute_line(line)) == {"source-ref": "s3://new/a"}


def test_manifests_written_before_a_move_are_read_at_the_present_address(store, settings):
    settings.STORE_URL = "s3://new"
    lines = [
        f'{{"source-ref": "{store}/1.png", "note": "{store}/1.png"}}\n',
        '{"source-ref": "s3://bees/2.png"}\n',
        '{"source-ref": "file:///older/3.png"}',
    ]
    stream = io.BytesIO("".join(lines).encode())
    read = [json.loads(line) for line in MovedLines(stream, former=[store + "/", "file:///older"])]
    assert [line["source-ref"] for line in read] == ["s3://new/1.png", "s3://bees/2.png", "s3://new/3.png"]
    assert read[0]["note"] == f"{store}/1.png"
