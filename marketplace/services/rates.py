"""How often something may happen in a window of time, counted for all processes of the installation together.

For refusing excess, not for accounting. A window begins with the first count and lasts a fixed time. Knows neither
requests nor which limits there are.
"""

import hashlib

from django.db import connection
from django.utils import timezone

from marketplace.models import RateWindow

# One statement, so that two processes never get the same place. A full window is not written, so refusing stays cheap.
_TAKE = """
    INSERT INTO marketplace_ratewindow AS w (key, count, ends_at)
    VALUES (%(key)s, %(wanted)s, statement_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN w.ends_at <= statement_timestamp() THEN excluded.count ELSE w.count + excluded.count END,
        ends_at = CASE WHEN w.ends_at <= statement_timestamp() THEN excluded.ends_at ELSE w.ends_at END
    WHERE w.ends_at <= statement_timestamp() OR w.count < %(most)s
    RETURNING w.count, extract(epoch FROM w.ends_at - statement_timestamp())::float8"""
_LEFT = """
    SELECT extract(epoch FROM ends_at - statement_timestamp())::float8
    FROM marketplace_ratewindow WHERE key = %(key)s"""
_GIVE_BACK = """
    UPDATE marketplace_ratewindow SET count = count - 1
    WHERE key = %(key)s AND count > 0 AND ends_at > statement_timestamp()"""


def take(key: str, *, most: int, seconds: float, wanted: int = 1) -> tuple[int, float]:
    """Count `wanted` further times, as far as a window of `seconds` holds no more than `most`.

    Returns (how many times are granted, seconds until the window ends).
    """
    values = {"key": _digest(key), "most": most, "seconds": float(seconds), "wanted": wanted}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        row = cursor.fetchone()
        if row is not None:
            count, left = row
            return max(0, wanted - max(0, count - most)), max(0.0, left)
        cursor.execute(_LEFT, values)
        row = cursor.fetchone()
    return 0, max(0.0, row[0]) if row is not None else 0.0


def give_back(key: str) -> None:
    """Count one time less."""
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, {"key": _digest(key)})


def forget_ended() -> None:
    """Delete the windows that are over."""
    RateWindow.objects.filter(ends_at__lte=timezone.now()).delete()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
