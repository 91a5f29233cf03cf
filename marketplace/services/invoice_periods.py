"""The periods that invoices cover: weeks from Monday and months of the calendar, in UTC. Pure."""

from datetime import UTC, datetime, timedelta

from marketplace.models import InvoicePeriod


def next_end(period: str, after: datetime) -> datetime:
    """When the period that holds the moment `after` is over."""
    day = after.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == InvoicePeriod.WEEKLY:
        return day + timedelta(days=7 - day.weekday())
    # The 28th and four days more is in the next month, whatever the month.
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def start_of(period: str, end: datetime) -> datetime:
    """When the period that is over at `end` began."""
    if period == InvoicePeriod.WEEKLY:
        return end - timedelta(days=7)
    return (end - timedelta(days=1)).replace(day=1)


def last_end(period: str, at: datetime) -> datetime:
    """The end of the last period that is over at this moment."""
    return start_of(period, next_end(period, at))
