"""Which format an answer has. There is only JSON; this is about Accept headers that cannot be read."""

from collections.abc import Sequence
from typing import Any

from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class ContentNegotiation(DefaultContentNegotiation):
    """DRF's own, which lets the errors of reading a header through."""

    def select_renderer(
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[Any, Any]:
        """(renderer, media type). Raises NotAcceptable for a header that cannot be read or met."""
        try:
            found: tuple[Any, Any] = super().select_renderer(request, renderers, format_suffix)
        except (ValueError, LookupError):
            raise exceptions.NotAcceptable(available_renderers=renderers) from None
        return found
