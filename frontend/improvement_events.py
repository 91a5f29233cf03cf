"""Where stores report new images of improvement policies: public, because the address itself is the secret."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from learning.services.improvement import creating, discovery
from marketplace.errors import Invalid, NotFound


@csrf_exempt
@require_POST
def receive(request: HttpRequest, token: str) -> HttpResponse:
    """Note the images of one report; says how many are new. 404 for an unknown address, 400 for what is no report."""
    try:
        policy = creating.by_token(token)
        many = discovery.report(policy=policy, body=request.body)
    except NotFound as error:
        return HttpResponse(error.message, status=404, content_type="text/plain")
    except Invalid as error:
        return HttpResponse(error.message, status=400, content_type="text/plain")
    return HttpResponse(f"{many} new", content_type="text/plain")
