"""Whether this process answers, and whether it can serve: used by load balancers, orchestrators and the demo."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from marketplace.services import condition


def live(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all; touches neither the database nor the store."""
    return JsonResponse({"status": "ok"})


def health(request: HttpRequest) -> JsonResponse:
    """200 when the database and the store can be written, else 503 with what is wrong; and the state of every part.

    A queue or learner that is gone is told and is no reason to take the web away from everybody.
    """
    states = {part.name: part.state for part in condition.parts()}
    if problems := condition.problems():
        return JsonResponse({"status": "unavailable", "problems": problems, "parts": states}, status=503)
    return JsonResponse({"status": "ok", "parts": states})
