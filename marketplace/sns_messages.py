"""What Amazon SNS posts to an HTTP subscription: read, and its signature checked as SNS documents it.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. Certificates are fetched from Amazon, or
from the server at which the topic was asked for, and kept by this process. Knows nothing of what messages are about.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.utils import timezone

from marketplace import fetch, strict
from marketplace.errors import Forbidden, Invalid

NOTIFICATION, CONFIRMATION, UNSUBSCRIBED = TYPES = (
    "Notification",
    "SubscriptionConfirmation",
    "UnsubscribeConfirmation",
)
CERTIFICATE_BYTES = 64 * 1024
SECONDS = 10
"""How long the server of a certificate may take."""

KEPT = 100
"""Certificates that a process keeps."""

_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    UNSUBSCRIBED: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_NEEDED = ("Message", "MessageId", "Timestamp", "TopicArn", "Signature", "SignatureVersion", "SigningCertURL")
_HASHES: Mapping[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303
_HOST = re.compile(r"sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?")
_certificates: dict[str, x509.Certificate] = {}


@dataclass(frozen=True)
class SnsMessage:
    """One message. `members` are the texts that SNS sent, by its names."""

    type: str
    members: Mapping[str, str]

    @property
    def topic_arn(self) -> str:
        """The topic that it says it comes from."""
        return self.members["TopicArn"]

    @property
    def message_id(self) -> str:
        """The number that SNS gave it: the same when it is delivered again."""
        return self.members["MessageId"]

    @property
    def text(self) -> str:
        """What was published."""
        return self.members["Message"]

    @property
    def subscribe_url(self) -> str:
        """What is to be asked for to confirm a subscription."""
        return self.members.get("SubscribeURL", "")


def read(body: bytes) -> SnsMessage:
    """The message in the body of a request. Raises Invalid for what SNS does not send."""
    try:
        found = strict.read_json(body)
    except strict.NotJson as error:
        raise Invalid(f"the message of SNS is no JSON: {error}") from None
    if not isinstance(found, dict) or found.get("Type") not in TYPES:
        kinds = ", ".join(TYPES)
        raise Invalid(
            f"a message of SNS whose Type is one of {kinds} expected; the raw delivery of messages has to be off",
            field="Type",
        )
    kind = str(found["Type"])
    needed = (*_NEEDED, *(("SubscribeURL", "Token") if kind != NOTIFICATION else ()))
    for name in needed:
        if not isinstance(found.get(name), str):
            raise Invalid("a text expected, as SNS sends it", field=name)
    return SnsMessage(kind, {name: value for name, value in found.items() if isinstance(value, str)})


def verify(message: SnsMessage, *, endpoint_url: str = "") -> None:
    """Raises Forbidden unless SNS has signed the message, FetchFailed when its certificate cannot be had.

    `endpoint_url`: the server that is asked in place of Amazon's, "" for Amazon's. It has the certificate, too.
    """
    version = message.members["SignatureVersion"]
    algorithm = _HASHES.get(version)
    if algorithm is None:
        raise Forbidden(f"the SignatureVersion {version[:20]!r} is not one of {', '.join(_HASHES)}")
    try:
        signature = base64.b64decode(message.members["Signature"], validate=True)
    except binascii.Error:
        raise Forbidden("the Signature of the message is no base64") from None
    certificate = _certificate(message.members["SigningCertURL"], endpoint_url)
    now = timezone.now()
    key = certificate.public_key()
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise Forbidden("the certificate of the message's signature is not valid now")
    if not isinstance(key, rsa.RSAPublicKey):
        raise Forbidden("the certificate of the message's signature has no RSA key")
    try:
        key.verify(signature, _signed(message), padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise Forbidden("the signature of the message is wrong") from None


def is_address_of_sns(url: str, *, endpoint_url: str = "") -> bool:
    """Whether an address is one of Amazon SNS, or of the server that stands in for it."""
    parts = _parts(url)
    if endpoint_url:
        return parts is not None and (parts.scheme, parts.netloc) == urlsplit(endpoint_url)[:2]
    return parts is not None and parts.scheme == "https" and _HOST.fullmatch(parts.netloc) is not None


def _signed(message: SnsMessage) -> bytes:
    """What is signed: names and values, each on a line of its own, in the order of the alphabet."""
    found = ((name, message.members.get(name)) for name in _SIGNED[message.type])
    return "".join(f"{name}\n{value}\n" for name, value in found if value is not None).encode()


def _parts(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _certificate(url: str, endpoint_url: str) -> x509.Certificate:
    parts = _parts(url)
    of_amazon = is_address_of_sns(url)
    if parts is None or not parts.path.endswith(".pem") or not (of_amazon or endpoint_url):
        raise Forbidden(f"{url[:200]!r} is not where Amazon SNS has its certificates")
    # A server that stands in for Amazon's says Amazon's name, or one by which only it knows itself.
    address = f"{endpoint_url}{parts.path}" if endpoint_url else url
    if address not in _certificates:
        answer = fetch.fetch(address, max_bytes=CERTIFICATE_BYTES, seconds=SECONDS, max_redirects=0)
        if answer.status != 200:
            raise fetch.FetchFailed(f"{address}: answered {answer.status}, a certificate expected")
        found = _loaded(answer.body, address)
        if len(_certificates) >= KEPT:
            _certificates.clear()
        _certificates[address] = found
    return _certificates[address]


def _loaded(body: bytes, address: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(body)
    except ValueError as error:
        raise Forbidden(f"{address}: holds no certificate ({error})") from None


def json_of(text: str) -> Any:
    """What a message's text says as JSON. Raises Invalid for a text that is none."""
    try:
        return strict.read_json(text)
    except strict.NotJson as error:
        raise Invalid(f"the message is no JSON: {error}") from None
