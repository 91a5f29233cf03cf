"""Whether this process can serve: used by load balancers and by the demo. Says nothing about the rest of the system."""

from django.http import HttpRequest, JsonResponse

from marketplace.services import condition


def health(request: HttpRequest) -> JsonResponse:
    """200 when the database and the store can be written, else 503 with what is wrong."""
    if problems := condition.problems():
        return JsonResponse({"status": "unavailable", "problems": problems}, status=503)
    return JsonResponse({"status": "ok"})
