"""Request rates of the REST API."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

from frontend import forecasts
from frontend.rates import CALLS, address_of

if TYPE_CHECKING:
    # A view module loads the throttles while it is being loaded itself.
    from rest_framework.views import APIView


class CallerThrottle(SimpleRateThrottle):
    """So many requests in each fixed window: signed-in callers by user, anonymous ones by address.

    DRF's own throttles keep the time of every request and write the whole list at each one, and of two processes that
    write at the same time one is lost.
    """

    scope = "user"
    allowances = CALLS

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        """One counter for each user, or for each address of anonymous callers."""
        if request.user and request.user.is_authenticated:
            return f"user:{request.user.pk}"
        return f"address:{address_of(request)}"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request; False when its window is full."""
        key = self.get_cache_key(request, view)
        anonymous = key.startswith("address:")
        most, seconds = (
            self.parse_rate(self.THROTTLE_RATES["anonymous"]) if anonymous else (self.num_requests, self.duration)
        )
        allowed, self._left = self.allowances.take(key, most=most, seconds=seconds)
        return allowed

    def wait(self) -> float:
        """Seconds until the window ends."""
        return max(0.0, self._left)


class ForecastThrottle(BaseThrottle):
    """So many forecasts of jobs for each user; those on pages count, too."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request; False when the user's window is full. Anonymous callers are refused elsewhere."""
        if not (request.user and request.user.is_authenticated):
            return True
        allowed, self._left = forecasts.take(request.user)
        return allowed

    def wait(self) -> float:
        """Seconds until the window ends."""
        return max(0.0, self._left)
