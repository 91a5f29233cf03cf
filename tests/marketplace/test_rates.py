"""Counting in windows of time, in the database: exact under concurrency, over when the window is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from marketplace import background
from marketplace.models import RateWindow
from marketplace.services import rates

pytestmark = pytest.mark.django_db


def end_all() -> None:
    """Let every window be over."""
    RateWindow.objects.update(ends_at=timezone.now() - timedelta(seconds=1))


def test_no_more_than_the_limit_is_granted_in_blocks_of_any_size():
    assert [rates.take("bee", most=10, seconds=60, wanted=3)[0] for _ in range(6)] == [3, 3, 3, 1, 0, 0]
    assert [rates.take("wasp", most=2, seconds=60)[0] for _ in range(4)] == [1, 1, 0, 0]
    assert rates.take("hornet", most=2, seconds=60, wanted=50)[0] == 2
    assert rates.take("fly", most=0, seconds=60)[0] == 0


def test_the_time_left_is_that_of_the_window_and_counting_does_not_prolong_it():
    lefts = [rates.take("bee", most=2, seconds=60)[1] for _ in range(4)]
    assert 59 < lefts[0] <= 60
    assert lefts == sorted(lefts, reverse=True)


def test_after_its_end_a_new_window_begins():
    assert [rates.take("bee", most=1, seconds=60)[0] for _ in range(2)] == [1, 0]
    end_all()
    assert [rates.take("bee", most=1, seconds=60)[0] for _ in range(2)] == [1, 0]
    assert RateWindow.objects.get().ends_at > timezone.now()


def test_what_is_given_back_can_be_taken_again():
    assert [rates.take("bee", most=1, seconds=60)[0] for _ in range(2)] == [1, 0]
    rates.give_back("bee")
    rates.give_back("bee")
    rates.give_back("never counted")
    assert [rates.take("bee", most=1, seconds=60)[0] for _ in range(2)] == [1, 0]


def test_the_sweep_deletes_windows_that_are_over_and_no_others():
    rates.take("bee", most=1, seconds=60)
    end_all()
    rates.take("wasp", most=1, seconds=60)
    background.sweep()
    background.sweep()
    assert RateWindow.objects.count() == 1
    assert rates.take("wasp", most=1, seconds=60)[0] == 0


def test_keys_of_any_length_and_spelling_are_counted_and_not_stored():
    for key in ("ada@example.org", "x" * 100_000, "\0", "\ud800", ""):
        assert [rates.take(key, most=1, seconds=60)[0] for _ in range(2)] == [1, 0]
    assert not RateWindow.objects.filter(key__contains="ada").exists()


@pytest.mark.django_db(transaction=True)
def test_many_at_the_same_time_get_exactly_the_limit():
    def take(_: int) -> int:
        try:
            return rates.take("bee", most=100, seconds=3600, wanted=7)[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(40))) == 100


def test_the_table_is_not_logged():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'marketplace_ratewindow'")
        assert cursor.fetchone() == ("u",)
