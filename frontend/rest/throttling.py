"""Request rates, counted in the process's memory: a fuse against floods, not an accounting."""

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:
    # A view module loads the throttles while it is being loaded itself.
    from rest_framework.views import APIView

REMEMBERED = 10_000


class CallerThrottle(SimpleRateThrottle):
    """So many requests in each fixed window: signed-in callers by user, anonymous ones by address.

    A counter, where DRF's own throttles keep the time of every request and write the whole list at each one.
    """

    scope = "user"
    _counts: "OrderedDict[str, tuple[float, int]]" = OrderedDict()
    _lock = threading.Lock()

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        """One bucket a user, or an address."""
        if request.user and request.user.is_authenticated:
            return f"user:{request.user.pk}"
        return f"address:{self.get_ident(request)}"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request; False when its window is full."""
        key = self.get_cache_key(request, view)
        anonymous = key.startswith("address:")
        most, seconds = (
            self.parse_rate(self.THROTTLE_RATES["anonymous"])
            if anonymous
            else (
                self.num_requests,
                self.duration,
            )
        )
        now = time.monotonic()
        with self._lock:
            since, count = self._counts.get(key, (now, 0))
            if now - since >= seconds:
                since, count = now, 0
            self._counts[key] = (since, count + 1)
            self._counts.move_to_end(key)
            if len(self._counts) > REMEMBERED:
                self._counts.popitem(last=False)
        self._ends = since + seconds
        return count < most

    def wait(self) -> float:
        """Seconds until the window ends."""
        return max(0.0, self._ends - time.monotonic())
