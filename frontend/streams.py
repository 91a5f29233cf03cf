"""Where topics send the objects of streaming labeling jobs: public, because what is posted is signed by SNS."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from labeling.services.streams import receiving
from marketplace.errors import DomainError, Forbidden, Invalid, NotFound, WrongState

_STATUS: dict[type[DomainError], int] = {NotFound: 404, Invalid: 400, Forbidden: 403, WrongState: 410}
AGAIN = 503
"""Of what may succeed later: SNS sends it again."""


@csrf_exempt
@require_POST
def receive(request: HttpRequest, token: str) -> HttpResponse:
    """Take what a topic posts, and say what was done with it."""
    try:
        return _said(receiving.receive(token=token, body=request.body), 200)
    except DomainError as error:
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), AGAIN)
        return _said(error.message, status)


def _said(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
