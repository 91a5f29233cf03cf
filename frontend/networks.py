"""From which network address a request comes, for the rules about networks of teams. Knows no rule."""

import ipaddress

from django.http import HttpRequest

from frontend.rates import address_of


def caller(request: HttpRequest) -> str:
    """The client's address as rates.address_of has it; "" for what is none, which is outside of every network."""
    found = address_of(request)
    try:
        return str(ipaddress.ip_address(found))
    except ValueError:
        return ""
