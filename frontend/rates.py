"""From which address a request comes, and how many requests a caller has left. Knows no views."""

import ipaddress
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from rest_framework.throttling import BaseThrottle

from marketplace.models import User
from marketplace.services import rates

REMEMBERED = 10_000
"""Callers of whom one process remembers something."""

BLOCKS = 100
"""Into how many blocks a caller's requests are divided; processes fetch them block by block."""


def address_of(request: HttpRequest) -> str:
    """The client's address; of an IPv6 address the first 64 bits, because one client usually has all that share them.

    X-Forwarded-For is read as far as there are proxies of the operator's own (WAGGLE_TRUSTED_PROXIES): each of them has
    added the address from which it was called at the end; what stands before is whatever the client wrote.
    """
    # DRF reads the number of proxies from its setting NUM_PROXIES.
    found = str(BaseThrottle().get_ident(request) or "")
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return found
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address) >> 64 << 64))


@dataclass
class _Block:
    left: int
    ends: float
    """By the clock time.monotonic()."""
    last: bool
    """Whether the window is full, so that the next block needs not be asked for."""


class Allowances:
    """What callers may still do in their windows, shared by all processes and cheap for each request.

    A process fetches a hundredth of a window at a time from the database and hands it out from memory. All processes
    together never allow more than the limit; a caller whose requests are spread over n processes can be refused when up
    to n - 1 hundredths are unused.
    """

    def __init__(self) -> None:
        self._blocks: OrderedDict[str, _Block] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str, *, most: int, seconds: float) -> tuple[bool, float]:
        """(whether the caller may go on, seconds until the window ends)."""
        now = time.monotonic()
        with self._lock:
            block = self._blocks.get(key)
            if block is not None and block.ends > now:
                if block.left:
                    block.left -= 1
                    return True, block.ends - now
                if block.last:
                    return False, block.ends - now
        wanted = max(1, most // BLOCKS)
        granted, left = rates.take(key, most=most, seconds=seconds, wanted=wanted)
        self._keep(key, _Block(max(0, granted - 1), time.monotonic() + left, granted < wanted))
        return granted > 0, left

    def _keep(self, key: str, new: _Block) -> None:
        with self._lock:
            old = self._blocks.get(key)
            if old is not None and old.ends > time.monotonic():
                # Another thread has fetched one meanwhile.
                new.left += old.left
            self._blocks[key] = new
            self._blocks.move_to_end(key)
            if len(self._blocks) > REMEMBERED:
                self._blocks.popitem(last=False)


CALLS = Allowances()
"""Of the calls of programs and of REST's callers, by user or address."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def take_call(user: User) -> tuple[bool, float]:
    """Count one call of this user, over REST or the AWS wire alike: (whether it is allowed, seconds until more are)."""
    most, _, window = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]["user"].partition("/")
    return CALLS.take(f"user:{user.pk}", most=int(most), seconds=_SECONDS[window[0]])
