"""Which addresses an account may read and write, for every kind of address; no server is asked."""

from pathlib import Path

import pytest

from marketplace.errors import Forbidden, Invalid
from marketplace.models import Account
from marketplace.services import boundaries

MINE, OTHERS = "111111111111", "222222222222"


@pytest.fixture
def account() -> Account:
    return Account(name="Mine", number=MINE)


@pytest.fixture(params=["folder of a bucket", "bucket", "files"])
def store(request, settings, tmp_path) -> str:
    """The store in each place where it may lie, with everything around it granted to everybody."""
    (tmp_path / "data" / "store").mkdir(parents=True)
    settings.STORE_FILE_ROOTS = [tmp_path]
    settings.S3_INPUT_BUCKETS = frozenset({"hive"})
    settings.STORE_URL = {
        "folder of a bucket": "s3://hive/deep/waggle",
        "bucket": "s3://hive",
        "files": (tmp_path / "data" / "store").as_uri(),
    }[request.param]
    return settings.STORE_URL


def may_read(account: Account, uri: str) -> bool:
    try:
        boundaries.require_readable(account=account, uri=uri)
    except (Forbidden, Invalid):
        return False
    return True


def may_write(account: Account, uri: str) -> bool:
    try:
        boundaries.require_writable(account=account, uri=uri)
    except (Forbidden, Invalid):
        return False
    return True


@pytest.mark.parametrize("kind", ["", "accounts/", "datasets/"])
def test_no_beginning_of_the_address_of_another_accounts_file_may_be_used(account, store, kind):
    """Folders and prefixes are listed: an address stands for everything that begins with it."""
    secret = f"{store}/{kind}{OTHERS}/uploads/bee.png"
    reader = boundaries.Reader(account)
    assert reader.refusal(f"{store}/{MINE}") == reader.refusal(f"{store}/accounts/{MINE}") == ""
    for length in range(len("file://"), len(secret) + 1):
        beginning = secret[:length]
        assert not may_read(account, beginning), beginning
        assert not may_write(account, beginning), beginning
        assert reader.refusal(beginning), f"{beginning}, after addresses beside it were allowed"


def test_an_account_reads_and_writes_its_own_part_of_the_store(account, store, settings):
    settings.S3_INPUT_BUCKETS, settings.STORE_FILE_ROOTS = frozenset(), []
    for part in (MINE, f"{MINE}/labeling", f"accounts/{MINE}", f"accounts/{MINE}/uploads/", f"datasets/{MINE}/1/x.png"):
        assert may_read(account, f"{store}/{part}"), part
        assert may_write(account, f"{store}/{part}"), part
    for part in (f"{MINE}0/x", f"accounts/{MINE}0/x", f"accounts/x/{MINE}", f"{OTHERS}/{MINE}", MINE[:11]):
        assert not may_read(account, f"{store}/{part}"), part
        assert not may_write(account, f"{store}/{part}"), part


@pytest.mark.parametrize("uri", ["s3://raw", "s3://raw/", "s3://raw/x.png", "s3://raw/a/b/", f"s3://raw/{MINE}/x"])
@pytest.mark.parametrize(
    ("granted", "read", "write"),
    [
        ((), False, False),
        (("other", f"other={MINE}"), False, False),
        ((f"raw={OTHERS}",), False, False),
        (("raw",), True, False),
        ((f"raw={MINE}",), True, True),
        (("raw", f"raw={OTHERS}", f"raw={MINE}"), True, True),
    ],
)
def test_a_bucket_is_closed_to_an_account_unless_the_operator_granted_it(
    account, store, settings, uri, granted, read, write
):
    settings.S3_INPUT_BUCKETS = frozenset(granted)
    assert (may_read(account, uri), may_write(account, uri)) == (read, write)


def test_folders_that_the_operator_opened_are_for_reading_only(account, store, tmp_path, settings):
    (tmp_path / "beside").mkdir()
    inside, outside = (tmp_path / "beside" / "bee.png").as_uri(), Path(tmp_path.parent / "x.png").as_uri()
    assert (may_read(account, inside), may_write(account, inside)) == (True, False)
    assert (may_read(account, outside), may_write(account, outside)) == (False, False)
    settings.STORE_FILE_ROOTS = []
    assert not may_read(account, inside)


def test_a_link_does_not_lead_from_an_open_folder_to_another_account(account, settings, tmp_path):
    store = tmp_path / "store"
    (store / "accounts" / OTHERS).mkdir(parents=True)
    opened = tmp_path / "open"
    opened.mkdir()
    (opened / "all").symlink_to(store)
    (opened / "theirs").symlink_to(store / "accounts" / OTHERS)
    settings.STORE_URL, settings.STORE_FILE_ROOTS = store.as_uri(), [opened]
    assert may_read(account, opened.as_uri())
    for name in ("all", "all/accounts", f"all/accounts/{OTHERS}/x.png", "theirs", "theirs/x.png"):
        assert not may_read(account, f"{opened.as_uri()}/{name}"), name


@pytest.mark.parametrize(
    "uri",
    [
        "", "bee.png", "/etc/passwd", "file://", "file:///", "file://elsewhere/etc/passwd", "file:///a/../etc/passwd",
        "file:///a/%2e%2e/etc", "file:///a%00b", "s3://", "s3:///x", "s3://ra w/x", "s3://raw:80/x", "s3://raw/../x",
        "s3://raw/a/./b", "ftp://raw/x", "S3://raw/x", "FILE:///x",
    ],
)  # fmt: skip
def test_addresses_that_are_not_well_formed_are_refused(account, store, settings, uri):
    settings.S3_INPUT_BUCKETS = frozenset({"raw", f"raw={MINE}"})
    for check in (boundaries.require_readable, boundaries.require_writable):
        with pytest.raises(Invalid):
            check(account=account, uri=uri)


def test_addresses_of_the_web_are_read_only(account, store):
    assert may_read(account, "https://example.org/bee.png")
    assert not may_write(account, "https://example.org/out")


def test_the_reason_names_the_account_and_the_setting(account, store, settings):
    for check in (boundaries.require_readable, boundaries.require_writable):
        with pytest.raises(Forbidden) as refused:
            check(account=account, uri="s3://raw/x")
        assert refused.value.message == (
            f"s3://raw/x: the operator has not granted this bucket to the account {MINE} (WAGGLE_S3_INPUT_BUCKETS)"
        )
