"""SAML 2.0 providers of accounts: reading what an admin says of one, registering it, and its new certificates.

A certificate here is only a way to write a public key: its dates and issuer are not looked at, as is usual with SAML.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser as MetadataParser
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML as Xml

from marketplace.errors import Invalid, WrongState
from marketplace.models import Account, IdentityProtocol, IdentityProvider, Workteam
from marketplace.ranges import Range
from marketplace.services import audit, identity_providers

METADATA_LENGTH = Range(1, 100_000)
"""Characters of a provider's metadata."""

ENTITY_ID_LENGTH = Range(1, 300)
"""Characters of an entity id."""

SSO_URL_LENGTH = Range(9, 500)
"""Characters of the address to which browsers are sent."""

CERTIFICATE_LENGTH = Range(1, 20_000)
"""Characters of a certificate, or of several below each other."""

CERTIFICATES = Range(1, 5)
"""How many signing certificates a provider may have: its present one, and those that follow."""

RSA_BITS = 2048
"""How long a provider's RSA key is at least."""

_SIGNING = (
    "//md:IDPSSODescriptor/md:KeyDescriptor[not(@use) or @use='signing']/ds:KeyInfo/ds:X509Data/ds:X509Certificate"
)
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@dataclass(frozen=True)
class Description:
    """What we have to know of a SAML provider; `certificates` are DER in base64."""

    entity_id: str
    sso_url: str
    certificates: list[str]


def describe(*, metadata: str = "", entity_id: str = "", sso_url: str = "", certificate: str = "") -> Description:
    """Read a provider's metadata, or the three things of it that are typed instead (certificates as PEM).

    Raises Invalid naming the field.
    """
    if metadata.strip():
        if entity_id.strip() or sso_url.strip() or certificate.strip():
            raise Invalid("metadata or its parts expected, both found", field="metadata")
        found, places = _of_metadata(metadata), dict.fromkeys(("entity_id", "sso_url", "certificate"), "metadata")
    else:
        texts = [part.partition(_END)[0] for part in certificate.split(_BEGIN) if part.strip()]
        found = Description(entity_id.strip(), sso_url.strip(), texts)
        places = {name: name for name in ("entity_id", "sso_url", "certificate")}
    for name, text, allowed in (
        ("entity_id", found.entity_id, ENTITY_ID_LENGTH),
        ("sso_url", found.sso_url, SSO_URL_LENGTH),
    ):
        if len(text) not in allowed or not text.isprintable() or " " in text:
            problem = f"{name} {text[:100]!r} found, {allowed} characters without spaces expected"
            raise Invalid(problem, field=places[name])
    identity_providers.check_address(found.sso_url, field=places["sso_url"])
    if len(found.certificates) not in CERTIFICATES:
        problem = f"{len(found.certificates)} signing certificates found, {CERTIFICATES} expected"
        raise Invalid(problem, field=places["certificate"])
    checked = [_checked_certificate(text, places["certificate"]) for text in found.certificates]
    return Description(found.entity_id, found.sso_url, list(dict.fromkeys(checked)))


def _of_metadata(text: str) -> Description:
    if len(text) not in METADATA_LENGTH:
        raise Invalid(f"{len(text)} characters found, {METADATA_LENGTH} expected", field="metadata")
    try:
        # The library's parser refuses document types and entities, and follows no links.
        tree = Xml.to_etree(text.strip().encode())
        count = len(Xml.query(tree, "//md:EntityDescriptor"))
        # The library's own reading takes a certificate for encryption where there is none for signatures.
        certificates = ["".join(one.itertext()) for one in Xml.query(tree, _SIGNING)]
        found = MetadataParser.parse(tree).get("idp", {})
    except (ValueError, etree.LxmlError, SyntaxError) as error:
        raise Invalid(f"the metadata cannot be read: {str(error)[:200]}", field="metadata") from None
    if count != 1:
        raise Invalid(f"the metadata describe {count} entities, one expected", field="metadata")
    sso_url = found.get("singleSignOnService", {}).get("url", "")
    if not sso_url:
        problem = f"the metadata have no IDPSSODescriptor with an address for {Names.BINDING_HTTP_REDIRECT}"
        raise Invalid(problem, field="metadata")
    return Description(found.get("entityId", ""), sso_url, certificates)


def _checked_certificate(text: str, field: str) -> str:
    try:
        found = x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
        key = found.public_key()
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Invalid(f"the certificate cannot be read: {str(error)[:200]}", field=field) from None
    strong = isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS
    if not strong and not isinstance(key, ec.EllipticCurvePublicKey):
        raise Invalid(
            f"a certificate with an RSA key of {RSA_BITS} bits or an elliptic curve key expected", field=field
        )
    return base64.b64encode(found.public_bytes(Encoding.DER)).decode()


def fingerprints(provider: IdentityProvider) -> list[str]:
    """The SHA-256 fingerprints of the provider's certificates, in hex."""
    return [hashlib.sha256(base64.b64decode(text)).hexdigest() for text in provider.certificates]


def create(
    *,
    account: Account,
    workteam: Workteam,
    name: str,
    domains: Sequence[str],
    slug: str = "",
    approved: bool = False,
    by: str,
    **described: Any,
) -> IdentityProvider:
    """Register a SAML provider, described as `describe` takes it; all else is as with identity_providers.create."""
    found = describe(**described)
    return identity_providers.register(
        account=account,
        workteam=workteam,
        name=name,
        domains=domains,
        slug=slug,
        approved=approved,
        by=by,
        protocol=IdentityProtocol.SAML,
        issuer=found.entity_id,
        sso_url=found.sso_url,
        certificates=found.certificates,
    )


def renew(*, provider: IdentityProvider, approved: bool = False, by: str, **described: Any) -> None:
    """Take the provider's new certificates and address, described as `describe` takes them.

    Whose key signs may say who has an address in the domains, so an operator has to approve again, and until then
    nobody signs in by it; `approved` says that an operator is asking. Raises Invalid for bad descriptions and another
    entity id, WrongState for an OpenID Connect provider.
    """
    if provider.protocol != IdentityProtocol.SAML:
        raise WrongState("an OpenID Connect provider has a client secret and no certificates")
    if not described.get("metadata", "").strip():
        described = {"entity_id": provider.issuer, "sso_url": provider.sso_url, **_given(described)}
    found = describe(**described)
    if found.entity_id != provider.issuer:
        raise Invalid(f"the entity id {found.entity_id!r} found, {provider.issuer!r} expected", field="metadata")
    with transaction.atomic():
        if not approved:
            identity_providers.review_again(provider=provider, by=by, because="new certificates")
        provider.sso_url, provider.certificates = found.sso_url, found.certificates
        provider.save(update_fields=["sso_url", "certificates"])
        audit.record(provider, by=by, because=f"certificates changed, sign-in at {found.sso_url}")


def _given(described: dict[str, Any]) -> dict[str, Any]:
    return {name: text for name, text in described.items() if str(text).strip()}
