"""The end of a training, a prediction or a search on its page: it is deleted, or the page says why it is not."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from marketplace.errors import DomainError


def answer(request: HttpRequest, found: Any, delete: Callable[[], None], *, page: str) -> HttpResponse:
    """Delete what was `found`, unless it runs or something uses it.

    `page`: the name of its page; that of the list has an s.
    """
    key = found.pk
    try:
        delete()
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(f"requester:{page}", key)
    messages.success(request, gettext("{name} is deleted.").format(name=found.name))
    return redirect(f"requester:{page}s")
