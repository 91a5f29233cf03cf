"""Suggested prices, the price table of the public pool, fees and estimates."""

import pytest

from labeling.services.jobs import pricing
from marketplace.errors import Invalid


@pytest.mark.parametrize(
    ("seconds", "micros"), [(8, 36_000), (10, 36_000), (10.1, 48_000), (20, 72_000), (21, 120_000), (3600, 1_200_000)]
)
def test_the_suggested_price_is_the_next_higher_one_of_the_table(seconds, micros):
    assert pricing.guideline(expected_seconds=seconds, task_type="BoundingBox") == micros


def test_short_class_tasks_may_cost_less_than_boxes():
    assert pricing.guideline(expected_seconds=3, task_type="ImageMultiClass") == 12_000
    assert pricing.guideline(expected_seconds=3, task_type="BoundingBox") == 36_000
    with pytest.raises(Invalid, match="no price table"):
        pricing.guideline(expected_seconds=3, task_type="Poetry")
    with pytest.raises(Invalid, match="above zero"):
        pricing.guideline(expected_seconds=0, task_type="BoundingBox")


@pytest.mark.parametrize(
    ("micros", "public", "allowed"),
    [(36_000, True, True), (24_000, True, False), (37_000, True, False), (1_200_000, True, True), (0, True, False),
     (0, False, True), (37_123, False, True), (2_999_000, False, True), (2_999_001, False, False), (-1, False, False)],
)  # fmt: skip
def test_the_public_pool_has_a_price_table_and_teams_have_none(micros, public, allowed):
    check = {"price_micros": micros, "task_type": "BoundingBox", "public": public}
    if allowed:
        pricing.check_price(**check)
    else:
        with pytest.raises(Invalid) as refused:
            pricing.check_price(**check)
        assert refused.value.field == "price"


def test_the_fee_is_twenty_percent_by_default(settings):
    assert pricing.fee(36_000) == 7_200
    settings.PLATFORM_FEE_PERCENT = "12.5"
    assert pricing.fee(37) == 5


def test_an_estimate_includes_the_fee_and_divides_the_time_among_workers():
    found = pricing.estimate(objects=100, workers_per_object=5, price_micros=36_000, expected_seconds=9, workers=10)
    assert found.total_micros == 500 * 43_200 and found.fee_micros == 500 * 7_200
    assert found.per_object_micros == 216_000 and found.duration_seconds == 450
    alone = pricing.estimate(objects=100, workers_per_object=5, price_micros=0, expected_seconds=9, workers=2)
    assert alone.duration_seconds == 900 and alone.total_micros == 0


def test_checks_cost_their_own_price_and_an_audit_at_most_a_share_of_everything():
    found = pricing.estimate(
        objects=100, workers_per_object=5, price_micros=36_000, expected_seconds=9, workers=10,
        checks=pricing.Checks(0.8, 12_000), audit_share=0.05, golds_rate=10,
    )  # fmt: skip
    assert found.checks_micros == 400 * 14_400 and found.audit_micros == 25 * 43_200
    assert found.total_micros == 400 * 14_400 + 100 * 43_200 + found.golds_micros
    assert found.fee_micros * 6 == found.total_micros
    assert found.per_object_micros == (400 * 14_400 + 100 * 43_200) // 100
    with pytest.raises(Invalid) as refused:
        pricing.estimate(
            objects=1, workers_per_object=1, price_micros=10, expected_seconds=9, workers=1,
            checks=pricing.Checks(1.5, 20), audit_share=-0.1,
        )  # fmt: skip
    assert [name for name, _ in refused.value.errors] == ["checked_share", "check_price", "audit_share"]


def test_an_impossible_design_is_refused_with_all_reasons():
    with pytest.raises(Invalid) as refused:
        pricing.estimate(objects=0, workers_per_object=0, price_micros=-1, expected_seconds=0, workers=0)
    assert [name for name, _ in refused.value.errors] == [
        "objects", "workers_per_object", "workers", "expected_seconds", "price",
    ]  # fmt: skip
