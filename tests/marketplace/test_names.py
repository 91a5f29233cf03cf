"""Names that are free: numbered, shortened, and following one that there is."""

import pytest

from marketplace.names import following_name, free_name, is_name


@pytest.mark.parametrize(
    ("name", "taken", "found"),
    [
        ("bees", [], "bees"),
        ("bees", ["BEES"], "bees-2"),
        ("bees", ["bees", "bees-2", "bees-4"], "bees-3"),
        ("b" * 63, ["b" * 63], "b" * 61 + "-2"),
        ("b" * 60 + "-bb", ["b" * 60 + "-bb"], "b" * 60 + "-2"),
    ],
)
def test_the_first_free_name(name, taken, found):
    assert free_name(name, taken) == found and is_name(found)


@pytest.mark.parametrize(
    ("name", "taken", "found"),
    [
        ("bees", ["bees"], "bees-2"),
        ("bees-2", ["bees", "bees-2"], "bees-3"),
        ("bees-9", ["bees-9"], "bees-2"),
        ("5", ["5"], "5-2"),
    ],
)
def test_the_name_that_follows(name, taken, found):
    assert following_name(name, taken) == found
