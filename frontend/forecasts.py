"""How often somebody may have a job forecast, for pages and REST alike: each takes seconds of a core."""

from frontend.rates import Allowances
from marketplace.models import User

MOST, SECONDS = 20, 60.0
"""So many forecasts a user may ask for in so many seconds."""

_allowances = Allowances()


def take(user: User) -> tuple[bool, float]:
    """Count one forecast of this user: (whether it is allowed, seconds until more are)."""
    return _allowances.take(f"forecast:{user.pk}", most=MOST, seconds=SECONDS)
