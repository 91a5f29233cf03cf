"""The store over files and over real S3 servers: the same behaviour, and nothing outside its bounds."""

import io
import os
import time
import tracemalloc
import urllib.error
import urllib.request

import pytest

from marketplace import storage
from marketplace.errors import Forbidden, Invalid, NotFound
from marketplace.management.commands import doctor


@pytest.fixture
def folder(settings, tmp_path):
    """A file:// URI inside the store."""
    settings.STORE_URL = (tmp_path / "store").as_uri()
    settings.STORE_FILE_ROOTS = []
    return settings.STORE_URL


@pytest.fixture(params=["file", "rclone", "moto"])
def any_base(request, settings, tmp_path):
    """A place in each store there is."""
    if request.param == "file":
        settings.STORE_URL = (tmp_path / "store").as_uri()
        return settings.STORE_URL
    return request.getfixturevalue(f"{request.param}_bucket")


@pytest.fixture
def rclone_bucket(s3_servers, make_bucket):
    """A bucket of rclone's."""
    return make_bucket(s3_servers["rclone"])


@pytest.fixture
def moto_bucket(s3_servers, make_bucket):
    """A bucket of moto's."""
    return make_bucket(s3_servers["moto"])


class TestEveryStore:
    def test_what_is_written_is_read(self, any_base):
        uri = storage.join(any_base, "pictures", "a b+ü?#%.png")
        storage.write(uri, b"one", content_type="image/png")
        assert (storage.read(uri), storage.size(uri), storage.exists(uri)) == (b"one", 3, True)
        storage.write(uri, io.BytesIO(b"other"))
        assert storage.read(uri) == b"other"
        storage.delete(uri)
        storage.delete(uri)
        assert not storage.exists(uri)

    def test_what_is_missing_is_named(self, any_base):
        uri = storage.join(any_base, "nothing.png")
        for act in (storage.read, storage.size):
            with pytest.raises(NotFound, match="nothing.png"):
                act(uri)

    def test_large_streams_go_up_in_parts_and_come_down_in_ranges(self, any_base):
        data = os.urandom(storage.PART_BYTES * 2 + 12_345)
        uri = storage.join(any_base, "large.bin")
        with storage.writer(uri) as out:
            out.write(data)
        assert storage.size(uri) == len(data)
        with storage.open(uri) as stream:
            pieces = iter(lambda: stream.read(1_000_000), b"")
            assert b"".join(pieces) == data
        with storage.open(uri, offset=100, length=50) as stream:
            assert stream.read() == data[100:150]
        with storage.open(uri, offset=len(data) - 5) as stream:
            assert stream.read() == data[-5:]

    def test_a_failed_write_leaves_what_was_there(self, any_base):
        uri = storage.join(any_base, "x.manifest")
        storage.write(uri, b"old")
        with pytest.raises(RuntimeError), storage.writer(uri) as out:
            out.write(b"half")
            raise RuntimeError
        assert storage.read(uri) == b"old"
        assert [item.uri for item in storage.list(any_base + "/")] == [uri]

    def test_reading_with_a_limit_reads_no_more(self, any_base):
        uri = storage.join(any_base, "x.bin")
        storage.write(uri, bytes(1000))
        assert len(storage.read(uri, limit=1000)) == 1000
        with pytest.raises(Invalid, match="larger than 999 bytes"):
            storage.read(uri, limit=999)

    def test_a_stream_has_lines_and_may_be_left_before_its_end(self, any_base):
        uri = storage.join(any_base, "x.manifest")
        storage.write(uri, b"one\r\n\ntwo" + b"x" * 200_000 + b"\nlast")
        with storage.open(uri) as stream:
            assert (stream.readline(), stream.readline(), stream.readline(3)) == (b"one\r\n", b"\n", b"two")
        with storage.open(uri) as stream:
            assert [len(line) for line in stream] == [5, 1, 200_004, 4]

    def test_a_small_object_takes_little_memory_whatever_the_limit(self, any_base):
        uri = storage.join(any_base, "x.bin")
        storage.write(uri, bytes(1000))
        storage.read(uri)
        tracemalloc.start()
        storage.read(uri, limit=200_000_000)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 10_000_000

    def test_listing_is_in_order_and_by_prefix(self, any_base):
        names = ["b/2.png", "a/10.png", "a/1.png", "ab/3.png", "c.png"]
        for name in names:
            storage.write(storage.join(any_base, *name.split("/")), name.encode())
        listed = [(item.uri.removeprefix(any_base + "/"), item.size) for item in storage.list(any_base + "/")]
        assert listed == [(name, len(name)) for name in sorted(names)]
        assert [item.uri.rsplit("/", 1)[1] for item in storage.list(any_base + "/a/")] == ["1.png", "10.png"]

    def test_dot_segments_are_refused(self, any_base):
        for parts in (("..", "x"), ("a", "..", "x"), ("/etc",), ("",), ("a\x00b",), ("./x",)):
            with pytest.raises(Invalid):
                storage.join(any_base, *parts)
        with pytest.raises(Invalid):
            storage.read(any_base + "/a/../../x")

    def test_a_folder_is_made_for_its_owner_only(self, tmp_path):
        fresh = tmp_path / "a" / "store"
        assert [storage.prepare(fresh.as_uri()), storage.prepare(fresh.as_uri())] == [True, False]
        assert fresh.stat().st_mode & 0o777 == 0o700


class TestS3:
    @pytest.fixture(params=["rclone", "moto"])
    def bucket(self, request):
        return request.getfixturevalue(f"{request.param}_bucket")

    def test_listing_goes_on_past_one_page(self, moto_bucket, monkeypatch):
        for number in range(1010):
            storage.write(f"{moto_bucket}/p/{number:05d}", b"x")
        listed = [item.uri for item in storage.list(f"{moto_bucket}/p/")]
        assert listed == [f"{moto_bucket}/p/{number:05d}" for number in range(1010)]

    def test_a_fresh_server_gets_its_bucket_once(self, bucket):
        fresh = f"{bucket}-fresh/waggle"
        with pytest.raises(NotFound, match="NoSuchBucket"):
            storage.write(f"{fresh}/a", b"x")
        assert [storage.prepare(fresh), storage.prepare(fresh)] == [True, False]
        storage.write(f"{fresh}/a", b"x")
        assert storage.read(f"{fresh}/a") == b"x"
        assert storage.prepare(bucket) is False

    def test_a_link_works_without_keys_and_not_for_ever(self, rclone_bucket):
        uri = f"{rclone_bucket}/a b.png"
        storage.write(uri, b"bee", content_type="image/png")
        link = storage.presign(uri, 5)
        with urllib.request.urlopen(link) as answer:
            assert answer.read() == b"bee"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(link.split("?")[0])
        assert refused.value.code in (400, 403), "without a signature nothing is given"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(link.replace("a%20b.png", "other.png"))
        assert refused.value.code == 403
        time.sleep(6)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(link)
        assert refused.value.code in (400, 403), "its time is over"

    def test_presigned_links_can_be_switched_off(self, rclone_bucket, settings):
        settings.S3_PRESIGN = False
        assert storage.presign(f"{rclone_bucket}/x", 60) is None

    def test_wrong_access_keys_are_forbidden(self, rclone_bucket, settings):
        settings.S3_SECRET_ACCESS_KEY = "wrong"
        with pytest.raises(Forbidden, match="x.png: access is denied"):
            storage.read(f"{rclone_bucket}/x.png")

    def test_a_bucket_that_is_not_there_is_named(self, bucket):
        with pytest.raises(NotFound, match="no-such-bucket"):
            list(storage.list("s3://no-such-bucket/x/"))

    def test_a_server_that_does_not_answer_is_unavailable(self, settings):
        settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
        settings.S3_ACCESS_KEY_ID = settings.S3_SECRET_ACCESS_KEY = "x"
        with pytest.raises(storage.StoreUnavailable, match="s3://b/x"):
            storage.size("s3://b/x")

    @pytest.mark.parametrize(
        "uri", ["s3://", "s3:///x", "s3://b ucket/x", "s3://host:80/x", "ftp://a/b", "/etc/passwd"]
    )
    def test_bad_addresses_are_refused(self, uri):
        with pytest.raises(Invalid):
            storage.read(uri)


class TestFiles:
    def test_files_outside_the_allowed_folders_are_refused(self, folder, tmp_path, settings):
        secret = tmp_path / "secret.txt"
        secret.write_text("secret")
        with pytest.raises(Forbidden, match="outside the folders"):
            storage.read(secret.as_uri())
        with pytest.raises(Forbidden):
            storage.write(secret.as_uri(), b"x")
        settings.STORE_FILE_ROOTS = [tmp_path]
        assert storage.read(secret.as_uri()) == b"secret"

    def test_symbolic_links_do_not_lead_out_of_the_allowed_folders(self, folder, tmp_path):
        inside = tmp_path / "store"
        inside.mkdir()
        (tmp_path / "secret.txt").write_text("secret")
        (inside / "link.txt").symlink_to(tmp_path / "secret.txt")
        (inside / "loop").symlink_to(inside)
        (inside / "out").symlink_to("/etc")
        (inside / "plain.txt").write_text("plain")
        for name in ("link.txt", "out/passwd"):
            with pytest.raises(Forbidden):
                storage.read(f"{folder}/{name}")
        assert [item.uri for item in storage.list(folder + "/")] == [f"{folder}/plain.txt"]

    @pytest.mark.parametrize("path", ["/%2e%2e/secret.txt", "/a/%2E%2E/%2e%2e/secret.txt", "/a%00b"])
    def test_encoded_dot_segments_are_refused(self, folder, path):
        with pytest.raises(Invalid):
            storage.read(folder + path)

    def test_other_hosts_and_pipes_are_refused(self, folder, tmp_path):
        with pytest.raises(Invalid):
            storage.read("file://example.org/etc/passwd")
        (tmp_path / "store").mkdir()
        os.mkfifo(tmp_path / "store" / "pipe")
        with pytest.raises(NotFound, match="is not a file"):
            storage.read(f"{folder}/pipe")

    def test_a_file_has_no_link_and_a_path(self, folder, tmp_path):
        storage.write(f"{folder}/x.txt", b"x")
        assert storage.presign(f"{folder}/x.txt") is None
        assert storage.local_path(f"{folder}/x.txt") == tmp_path / "store" / "x.txt"
        assert storage.local_path("s3://bucket/x") is None


def test_an_older_store_is_closed_to_other_users(tmp_path, settings):
    settings.STORE_URL = tmp_path.as_uri()
    folder = tmp_path / "accounts" / "1"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"x")
    (folder / "a.png").chmod(0o644)
    folder.chmod(0o755)
    tmp_path.chmod(0o700)
    found = doctor.privacy()
    assert not found.works and str(folder / "a.png") in found.detail and "bootstrap" in found.remedy
    assert storage.close_to_others(settings.STORE_URL) == 3
    assert [path.stat().st_mode & 0o777 for path in (folder.parent, folder, folder / "a.png")] == [0o700, 0o700, 0o600]
    assert doctor.privacy().works and storage.close_to_others(settings.STORE_URL) == 0
