"""What a panel's participant can reach: the pages of their study, and the API of the tasks in it. Nothing else exists
for them, not even what every signed-in user has: no tokens, no public pool, no earnings."""

from collections.abc import Callable, Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

PAGES = frozenset({"study"})
"""Namespaces of pages."""

ROUTES = frozenset(
    {
        "",
        "health/",
        "health/live/",
        "sign-out/",
        "language/",
        "api/v1/work-queues/<int:queue_id>/claim",
        "api/v1/work-queues/<int:queue_id>/examples/<str:kind>/<int:number>",
        "api/v1/images/<str:token>",
        "api/v1/assignments",
        "api/v1/assignments/<int:assignment_id>",
        "api/v1/assignments/<int:assignment_id>/submit",
        "api/v1/assignments/<int:assignment_id>/return",
        "api/v1/assignments/<int:assignment_id>/decline",
    }
)
"""Single routes, as the URL table spells them."""


class ParticipantGate:
    """Middleware: to a participant every other address is an unknown one (404)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Iterable[Any], kwargs: dict[str, Any]
    ) -> None:
        """Raises Http404 for what is no part of a study. For a page that is one, nobody is looked up."""
        match = request.resolver_match
        if match is None or match.namespace in PAGES or match.route in ROUTES:
            return
        if getattr(request.user, "is_participant", False):
            raise Http404("this is no part of the study")
