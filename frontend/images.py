"""Images over HTTP, for pages and REST alike: signed addresses, and answers that stream a picture out of the store.

Knows neither who may see an image nor what it belongs to.
"""

from django.core import signing
from django.http import HttpRequest, HttpResponse

from labeling.services.intake import images
from marketplace import strict
from marketplace.errors import NotFound

SALT = "waggle.image"


def image_url(data_object_id: int, user_id: int) -> str:
    """The address of an object's image for one user: signed, stable (so browsers can cache it), useless to others."""
    return "/api/v1/images/" + signing.dumps([data_object_id, user_id], salt=SALT, compress=False)


def read_token(token: str) -> tuple[int, int]:
    """(object id, user id) out of the last part of `image_url`. Raises NotFound for a token that nobody signed."""
    try:
        object_id, user_id = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise NotFound("there is no such image") from None
    return object_id, user_id


def image_response(uri: str, request: HttpRequest) -> HttpResponse:
    """The image at `uri` through the web: no bucket has to be public and no CORS rule is needed."""
    picture = images.picture(uri=uri, max_side=_side(request))
    if request.META.get("HTTP_IF_NONE_MATCH") == picture.etag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(picture.content, content_type=picture.content_type)
    response["ETag"] = picture.etag
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _side(request: HttpRequest) -> int | None:
    """What `?side=` asks for; None where it is no number."""
    return strict.whole_number(request.GET.get("side", ""), allowed=strict.COUNTS)
