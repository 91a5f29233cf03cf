"""Amounts that people type: what is read, and what is refused with the field's name."""

import pytest

from marketplace import money
from marketplace.errors import Invalid


@pytest.mark.parametrize(
    ("text", "micros"),
    [("0.036", 36_000), (" 12 ", 12_000_000), ("1e2", 100_000_000), ("9000000000", 9 * 10**15), ("0.000001", 1)],
)
def test_an_amount_is_read_in_micro_dollars(text, micros):
    assert money.read(text, field="amount") == micros


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not an amount"),
        ("ten", "not an amount"),
        ("NaN", "not an amount"),
        ("Infinity", "not an amount"),
        ("1e999990", "not an amount"),
        ("1e99999999", "not an amount"),
        ("1e-9999999", "not an amount"),
        ("1e-7", "finer than a micro-dollar"),
        ("1.0000000000000000000000000001", "finer than a micro-dollar"),
        ("²", "not an amount"),
        ("٣", "not an amount"),
        ("1_000", "not an amount"),
        ("9" * 5000, "not an amount"),
        ("0.0000001", "finer than a micro-dollar"),
        ("0", "above zero"),
        ("-1", "above zero"),
        ("9000000000.01", "at most 9,000,000,000 dollars"),
    ],
)
def test_what_is_no_amount_is_refused_by_the_field_s_name(text, reason):
    with pytest.raises(Invalid, match=reason) as refused:
        money.read(text, field="price")
    assert refused.value.field == "price"


def test_zero_is_an_amount_where_it_may_be():
    assert money.read("0.00", field="price", zero=True) == 0
    with pytest.raises(Invalid, match="zero or more"):
        money.read("-0.01", field="price", zero=True)
