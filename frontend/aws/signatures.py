"""Signature Version 4: who signed a request, checked by computing the signature again with botocore's own signer.

Knows neither access keys nor operations.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.http import HttpRequest

from frontend.aws.errors import AwsError

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=15)
"""How far the clocks of a client and of this server may differ."""

LONGEST = timedelta(days=7)
"""The longest that a presigned request may be good for."""

UNSIGNED = "UNSIGNED-PAYLOAD"
_STAMP = "%Y%m%dT%H%M%SZ"
_CREDENTIAL = re.compile(r"([A-Z0-9]{16,128})/([0-9]{8})/([a-z0-9-]{1,40})/([a-z0-9-]{1,40})/aws4_request")
_PARTS = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
# Which form of a name a service's clients know: those with the query protocol have older ones.
_OLDER = {
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "IncompleteSignatureException": "IncompleteSignature",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "UnrecognizedClientException": "InvalidClientTokenId",
}
_NO_TOKENS = "; this installation gives out no session tokens: unset AWS_SESSION_TOKEN"


@dataclass(frozen=True)
class Signed:
    """What a request says about its signature; nothing of it is proved before `verify`."""

    key_id: str
    date: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str
    stamp: str
    expires: timedelta | None
    """How long a presigned request is good for; None for one signed in its headers."""


def refusal(code: str, message: str, *, query: bool) -> AwsError:
    """An error of authentication. `query`: whether the service has the query protocol."""
    return AwsError(_OLDER.get(code, code) if query else code, message, status=403)


def read(request: HttpRequest, *, query: bool) -> Signed:
    """What the request says about its signature. Raises AwsError for one that has none, or an incomplete one."""
    if request.headers.get("Authorization") is not None:
        return _from_header(request, query)
    if "X-Amz-Signature" in request.GET or "X-Amz-Algorithm" in request.GET:
        return _from_query(request, query)
    raise refusal("MissingAuthenticationTokenException", "Missing Authentication Token", query=query)


def _from_header(request: HttpRequest, query: bool) -> Signed:
    text = request.headers["Authorization"]
    scheme, _, rest = text.partition(" ")
    parts = dict(_PARTS.findall(rest))
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if name not in parts]
    if scheme != ALGORITHM or missing:
        lacks = "".join(f"Authorization header requires '{name}' parameter. " for name in missing)
        wrong = f"Authorization header requires the algorithm {ALGORITHM}. " if scheme != ALGORITHM else ""
        raise refusal("IncompleteSignatureException", (wrong + lacks).strip(), query=query)
    stamp = request.headers.get("X-Amz-Date") or _stamp_of_date(request.headers.get("Date", ""))
    if not stamp:
        wanted = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        raise refusal("IncompleteSignatureException", wanted, query=query)
    names = tuple(parts["SignedHeaders"].lower().split(";"))
    return _signed(parts["Credential"], names, parts["Signature"], stamp, None, query)


def _from_query(request: HttpRequest, query: bool) -> Signed:
    wanted = ("Credential", "Date", "Expires", "SignedHeaders", "Signature")
    parts = {name: request.GET.get(f"X-Amz-{name}", "") for name in wanted}
    missing = [name for name, value in parts.items() if not value]
    if request.GET.get("X-Amz-Algorithm") != ALGORITHM or missing or not re.fullmatch("[0-9]{1,9}", parts["Expires"]):
        named = ", ".join(f"X-Amz-{name}" for name in missing) or "X-Amz-Algorithm or X-Amz-Expires"
        message = f"A presigned request requires the parameters of {ALGORITHM}; missing or wrong: {named}"
        raise refusal("IncompleteSignatureException", message, query=query)
    expires = min(timedelta(seconds=int(parts["Expires"])), LONGEST)
    names = tuple(parts["SignedHeaders"].lower().split(";"))
    return _signed(parts["Credential"], names, parts["Signature"], parts["Date"], expires, query)


def _signed(
    credential: str, headers: tuple[str, ...], signature: str, stamp: str, expires: timedelta | None, query: bool
) -> Signed:
    found = _CREDENTIAL.fullmatch(credential)
    if found is None:
        message = (
            f"Credential must have the form <key>/<date>/<region>/<service>/aws4_request, {credential[:80]!r} found."
        )
        raise refusal("IncompleteSignatureException", message, query=query)
    key_id, date, region, service = found.groups()
    if not stamp.startswith(date):
        message = f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: {date}"
        raise refusal("InvalidSignatureException", message, query=query)
    if "host" not in headers:
        raise refusal("InvalidSignatureException", "'Host' must be a 'SignedHeader' in the signature.", query=query)
    return Signed(key_id, date, region, service, headers, signature, stamp, expires)


def verify(request: HttpRequest, signed: Signed, *, secret: str, body: bytes, now: datetime, query: bool) -> None:
    """Raises AwsError unless the holder of `secret` signed exactly this request, not longer ago than allowed."""
    _check_time(signed, now, query)
    if request.headers.get("X-Amz-Security-Token") or request.GET.get("X-Amz-Security-Token"):
        message = f"The security token included in the request is invalid{_NO_TOKENS}"
        raise refusal("UnrecognizedClientException", message, query=query)
    unsigned = sorted(
        name.lower()
        for name in request.headers
        if name.lower().startswith("x-amz-") and name.lower() not in signed.headers
    )
    if unsigned:
        message = f"There were headers present in the request which were not signed: {', '.join(unsigned)}"
        raise refusal("InvalidSignatureException", message, query=query)
    announced = request.headers.get("X-Amz-Content-SHA256", UNSIGNED)
    if announced != UNSIGNED and not hmac.compare_digest(announced, hashlib.sha256(body).hexdigest()):
        raise refusal("InvalidSignatureException", "X-Amz-Content-SHA256 is not the hash of the body.", query=query)
    expected = _signature(request, signed, secret, body)
    if not hmac.compare_digest(expected.encode(), signed.signature.encode(errors="replace")):
        message = (
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details."
        )
        raise refusal("InvalidSignatureException", message, query=query)


def _signature(request: HttpRequest, signed: Signed, secret: str, body: bytes) -> str:
    """What botocore computes for this request."""
    signer = SigV4Auth(Credentials(signed.key_id, secret), signed.service, signed.region)
    pairs = parse_qsl(request.META.get("QUERY_STRING", ""), keep_blank_values=True)
    # As clients encode a path; the characters that stood in it encoded are decoded in PATH_INFO.
    path = quote(request.get_full_path_info().partition("?")[0], safe="/%-._~")
    made = AWSRequest(
        method=request.method,
        url=f"{request.scheme}://{request.get_host()}{path}",
        headers={name: request.headers.get(name, "") for name in signed.headers} | {"host": request.get_host()},
        data=body,
        params=[pair for pair in pairs if pair[0] != "X-Amz-Signature"],
    )
    made.context["timestamp"] = signed.stamp
    text = signer.string_to_sign(made, signer.canonical_request(made))
    return str(signer.signature(text, made))


def _check_time(signed: Signed, now: datetime, query: bool) -> None:
    try:
        at = datetime.strptime(signed.stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        message = f"Date must be in ISO-8601 'basic format'. Got {signed.stamp[:40]!r}."
        raise refusal("IncompleteSignatureException", message, query=query) from None
    current = now.strftime(_STAMP)
    if at > now + SKEW:
        latest = (now + SKEW).strftime(_STAMP)
        message = f"Signature not yet current: {signed.stamp} is still later than {latest} ({current} + 15 min.)"
        raise refusal("InvalidSignatureException", message, query=query)
    if signed.expires is not None:
        if now > at + signed.expires:
            raise refusal(
                "RequestExpired", f"Request has expired: it was good until {at + signed.expires}", query=query
            )
    elif at < now - SKEW:
        earliest = (now - SKEW).strftime(_STAMP)
        message = f"Signature expired: {signed.stamp} is now earlier than {earliest} ({current} - 15 min.)"
        raise refusal("InvalidSignatureException", message, query=query)


def _stamp_of_date(text: str) -> str:
    try:
        return parsedate_to_datetime(text).astimezone(UTC).strftime(_STAMP)
    except (TypeError, ValueError):
        return ""
