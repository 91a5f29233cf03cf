"""Where Stripe reports events: public, because the signature of each event says that it is Stripe's."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from marketplace.errors import Invalid
from marketplace.models import PaymentWay
from marketplace.services.payments import registry
from marketplace.services.payments.provider import Message


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Book one event. 200 when it needs no further report, 400 when it is not signed by Stripe."""
    provider = registry.provider(PaymentWay.STRIPE)
    message = Message(request.body, request.headers.get("Stripe-Signature", ""))
    try:
        lines = provider.receive(message, by="stripe")
    except Invalid as error:
        return HttpResponse(error.message, status=400, content_type="text/plain")
    return HttpResponse("\n".join(line.what for line in lines), content_type="text/plain")
