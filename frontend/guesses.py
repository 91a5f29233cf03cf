"""How often passwords may be guessed and links to forgotten ones be asked for, counted by address and e-mail.

What is typed is never logged: it may be a password, or hold line breaks.
"""

from django.http import HttpRequest

from frontend.rates import address_of
from marketplace.errors import TooManyTries
from marketplace.services import rates, scope

WRONG_FOR_ONE, WRONG_FOR_ALL, WRONG_SECONDS = 10, 100, 900
"""Wrong passwords within a quarter of an hour: for one email from one address, and from one address for anybody."""

WRONG, FORGOTTEN, SIGN_UP = "wrong", "forgotten", "sign-up"


def count(request: HttpRequest, email: str, *, what: str = WRONG) -> list[str]:
    """Count a try before it is looked at, so that tries made at the same time do not all pass.

    Returns what `give_back` takes when the try was right. Raises TooManyTries, above the limit for right ones too.
    """
    address, typed = address_of(request), email.strip().lower()
    taken: list[str] = []
    for key, most in ((f"{what} {address} {typed}", WRONG_FOR_ONE), (f"{what} {address}", WRONG_FOR_ALL)):
        granted, left = rates.take(key, most=most, seconds=WRONG_SECONDS)
        if not granted:
            give_back(taken)
            minutes = max(1, round(left / 60))
            tries = "wrong passwords" if what == WRONG else "requests"
            raise TooManyTries(f"Too many {tries}. Try again in {minutes} minute{'s' if minutes > 1 else ''}.")
        taken.append(key)
    return taken


def give_back(keys: list[str]) -> None:
    """Count a try no more."""
    for key in keys:
        rates.give_back(key)


def who(email: str) -> str:
    """How the log names somebody by what they typed as their email."""
    user = scope.user_or_none(email)
    return scope.actor(user) if user is not None else "an unknown address"
