"""How often something happened in a fixed window of time, counted in memory: for refusing excess, not for accounting.

Each web process counts for itself, so n processes allow n times as much. Knows neither requests nor views.
"""

import threading
import time
from collections import OrderedDict

REMEMBERED = 10_000


class Windows:
    """Counts by key; the key that was counted least recently is forgotten when there are too many."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def seen(self, key: str, *, seconds: float) -> tuple[int, float]:
        """(how often in this window so far, seconds until it ends)."""
        with self._lock:
            since, count, now = self._current(key, seconds)
        return count, since + seconds - now

    def count(self, key: str, *, seconds: float) -> tuple[int, float]:
        """Count once more; as `seen`, this time included."""
        with self._lock:
            since, count, now = self._current(key, seconds)
            self._counts[key] = (since, count + 1)
            self._counts.move_to_end(key)
            if len(self._counts) > REMEMBERED:
                self._counts.popitem(last=False)
        return count + 1, since + seconds - now

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.clear()

    def _current(self, key: str, seconds: float) -> tuple[float, int, float]:
        now = time.monotonic()
        since, count = self._counts.get(key, (now, 0))
        return (now, 0, now) if now - since >= seconds else (since, count, now)
