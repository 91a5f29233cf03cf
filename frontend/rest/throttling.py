"""Request rates, counted in the process's memory: a fuse against floods, not an accounting."""

from rest_framework.throttling import SimpleRateThrottle


class CallerThrottle(SimpleRateThrottle):
    """Signed-in callers by user, anonymous ones by address."""

    scope = "user"

    def get_cache_key(self, request, view):  # type: ignore[no-untyped-def]
        """One bucket a user, or an address."""
        if request.user and request.user.is_authenticated:
            return f"throttle:user:{request.user.pk}"
        return f"throttle:address:{self.get_ident(request)}"
