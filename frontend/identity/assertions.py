"""The SAML 2.0 protocol: the request that a browser takes to a provider, and what of its answer can be believed.

python3-saml builds, parses and verifies. It takes some things as optional that are required here (an audience, a
recipient, an end, the request that is answered), and any transform and algorithm that xmlsec knows; those are refused
before it verifies. Knows nothing of who may come in.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from lxml import etree
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from marketplace.models import IdentityProvider
from marketplace.services.identity_providers import SUBJECT_LENGTH

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
SIGNATURES = frozenset(f"{_MORE}{key}-sha{bits}" for key in ("rsa", "ecdsa") for bits in (256, 384, 512))
"""Algorithms of signatures: those of public keys only, so that a certificate is never taken for a shared secret."""

DIGESTS = frozenset(
    f"http://www.w3.org/2001/04/{name}" for name in ("xmlenc#sha256", "xmldsig-more#sha384", "xmlenc#sha512")
)
"""Algorithms of digests."""

TRANSFORMS = frozenset({"http://www.w3.org/2000/09/xmldsig#enveloped-signature", _EXCLUSIVE})
"""What may be done with a document before it is hashed: nothing that leaves a part of it out."""

ADDRESS_NAMES = (
    "email",
    "mail",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)
"""Attributes with an e-mail address, by the names that providers give them."""

DISPLAY_NAMES = (
    "displayName",
    "name",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
)
"""Attributes with what somebody is called."""

_UNREADABLE = (ValueError, SyntaxError, etree.LxmlError, OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError)
"""What python3-saml raises for documents that are not an answer, or that it refuses before their signature."""

_NS = {"saml": Names.NS_SAML, "samlp": Names.NS_SAMLP, "ds": Names.NS_DS}


class Refused(Exception):
    """The answer of a provider cannot be believed; the text is for the log and not for who sent it."""


@dataclass(frozen=True)
class Vouched:
    """What a verified assertion says: the request that it answers, its own id, and about whom it is."""

    request: str
    assertion: str
    subject: str
    email: str
    name: str


def addresses(request: HttpRequest, provider: IdentityProvider) -> tuple[str, str]:
    """Our entity id, which is the address of our metadata, and the address that takes the provider's answers."""
    return (
        request.build_absolute_uri(reverse("saml-metadata", args=[provider.slug])),
        request.build_absolute_uri(reverse("saml-answer", args=[provider.slug])),
    )


def settings_of(request: HttpRequest, provider: IdentityProvider) -> dict[str, Any]:
    """The settings of python3-saml for a provider."""
    entity_id, answer = addresses(request, provider)
    return {
        "strict": True,
        "debug": False,
        "sp": {"entityId": entity_id, "assertionConsumerService": {"url": answer, "binding": Names.BINDING_HTTP_POST}},
        "idp": {
            "entityId": provider.issuer,
            "singleSignOnService": {"url": provider.sso_url, "binding": Names.BINDING_HTTP_REDIRECT},
            "x509certMulti": {"signing": provider.certificates},
        },
        "security": {
            "wantAssertionsSigned": True,
            "wantNameId": True,
            "wantAttributeStatement": False,
            "requestedAuthnContext": False,
            "rejectDeprecatedAlgorithm": True,
            "allowRepeatAttributeName": True,
            # This installation may have a host name without a dot.
            "allowSingleLabelDomains": True,
        },
    }


def metadata(request: HttpRequest, provider: IdentityProvider) -> bytes:
    """Our metadata for a provider, as XML."""
    settings = OneLogin_Saml2_Settings(settings_of(request, provider), sp_validation_only=True)
    made = settings.get_sp_metadata()
    return made if isinstance(made, bytes) else made.encode()


def begin(request: HttpRequest, provider: IdentityProvider) -> tuple[str, str]:
    """The address at the provider that begins a sign-in there, and the id of the request in it."""
    auth = OneLogin_Saml2_Auth(_of_request(request), settings_of(request, provider))
    address: str = auth.login(return_to="")
    return address, str(auth.get_last_request_id())


def _of_request(request: HttpRequest) -> dict[str, Any]:
    return {
        "https": "on" if request.is_secure() else "off",
        "http_host": request.get_host(),
        "script_name": request.path,
    }


def read(request: HttpRequest, provider: IdentityProvider, answer: str) -> Vouched:
    """What the provider has signed in its answer (base64). Raises Refused.

    Whether this browser has asked for it, and whether it comes for the first time, is left to the caller.
    """
    settings = OneLogin_Saml2_Settings(settings_of(request, provider))
    try:
        response = OneLogin_Saml2_Response(settings, answer)
        response.check_status()
    except _UNREADABLE as error:
        raise Refused(f"the answer cannot be read: {error}") from error
    assertion = _only_assertion(response.get_xml_document())
    if not response.is_valid(_of_request(request)):
        raise Refused(str(response.get_error()))
    entity_id, place = addresses(request, provider)
    asked = _check_addressed(response.get_xml_document(), assertion, entity_id, place)
    subject, attributes = _subject(assertion), _attributes(assertion)
    email = next((attributes[name] for name in ADDRESS_NAMES if attributes.get(name)), "")
    if not email and _name_id(assertion).get("Format") == Names.NAMEID_EMAIL_ADDRESS:
        email = subject
    name = next((attributes[name] for name in DISPLAY_NAMES if attributes.get(name)), "")
    return Vouched(asked, assertion.get("ID"), subject, email, name)


def _only_assertion(root: etree._Element) -> etree._Element:
    """The one assertion of a response, signed itself by nothing but what is allowed. Raises Refused.

    Whatever else in the document could be taken for it is refused, too: that is how signatures are wrapped.
    """
    assertions = root.xpath("/samlp:Response/saml:Assertion", namespaces=_NS)
    if (
        len(assertions) != 1
        or len(root.xpath("//*[local-name()='Assertion' or local-name()='EncryptedAssertion']")) != 1
    ):
        raise Refused("exactly one assertion, not encrypted, expected")
    ids = root.xpath("//@ID")
    if len(ids) != len(set(ids)):
        raise Refused("two elements have the same ID")
    (assertion,) = assertions
    signatures = root.xpath("//*[local-name()='Signature']")
    if not any(signature.getparent() is assertion for signature in signatures):
        raise Refused("the assertion is not signed itself")
    for signature in signatures:
        _check_signature(signature, root, assertion)
    return assertion


def _check_signature(signature: etree._Element, root: etree._Element, assertion: etree._Element) -> None:
    parent = signature.getparent()
    if parent is not root and parent is not assertion:
        raise Refused("a signature that is neither of the response nor of the assertion")
    references = signature.xpath(".//ds:Reference", namespaces=_NS)
    if len(references) != 1 or references[0].get("URI") != f"#{parent.get('ID')}":
        raise Refused("a signature that is not about the element in which it stands")
    if signature.xpath(".//ds:Object | .//ds:RetrievalMethod", namespaces=_NS):
        raise Refused("a signature with objects or references to keys")
    for path, allowed in (
        ("./ds:SignedInfo/ds:SignatureMethod", SIGNATURES),
        ("./ds:SignedInfo/ds:CanonicalizationMethod", {_EXCLUSIVE}),
        (".//ds:DigestMethod", DIGESTS),
        (".//ds:Transform", TRANSFORMS),
    ):
        found = [one.get("Algorithm") for one in signature.xpath(path, namespaces=_NS)]
        if not found or not set(found) <= allowed:
            raise Refused(f"{path.rpartition(':')[2]} {found} found, of {sorted(allowed)} expected")


def _check_addressed(root: etree._Element, assertion: etree._Element, entity_id: str, place: str) -> str:
    """The id of the request that is answered. Raises Refused unless the assertion is for us, here, and ends."""
    if root.get("Destination") not in (None, place):
        raise Refused(f"the destination {root.get('Destination')!r} found, {place!r} expected")
    restrictions = assertion.xpath("./saml:Conditions/saml:AudienceRestriction", namespaces=_NS)
    audiences = [[_text(one) for one in each.xpath("./saml:Audience", namespaces=_NS)] for each in restrictions]
    if not audiences or not all(entity_id in each for each in audiences):
        raise Refused(f"the audience {audiences} found, {entity_id!r} expected")
    confirmations = assertion.xpath("./saml:Subject/saml:SubjectConfirmation", namespaces=_NS)
    if len(confirmations) != 1 or confirmations[0].get("Method") != Names.CM_BEARER:
        raise Refused("exactly one confirmation of the subject, by bearer, expected")
    (data,) = confirmations[0].xpath("./saml:SubjectConfirmationData", namespaces=_NS)
    if data.get("Recipient") != place:
        raise Refused(f"the recipient {data.get('Recipient')!r} found, {place!r} expected")
    # That it is not over yet is checked by the library, where it is given.
    if not data.get("NotOnOrAfter"):
        raise Refused("the confirmation of the subject has no end")
    asked = data.get("InResponseTo")
    if not asked or root.get("InResponseTo") not in (None, asked):
        raise Refused("the assertion answers no request; sign-ins begin here")
    return str(asked)


def _name_id(assertion: etree._Element) -> etree._Element:
    found = assertion.xpath("./saml:Subject/saml:NameID", namespaces=_NS)
    if len(found) != 1:
        raise Refused("exactly one NameID expected")
    return found[0]


def _subject(assertion: etree._Element) -> str:
    name_id = _name_id(assertion)
    subject = _text(name_id)
    if name_id.get("Format") == Names.NAMEID_TRANSIENT:
        raise Refused("a transient NameID found; by it nobody is known again")
    if len(subject) not in SUBJECT_LENGTH:
        raise Refused(f"a NameID of {SUBJECT_LENGTH} characters expected")
    return subject


def _attributes(assertion: etree._Element) -> dict[str, str]:
    """The first value of each attribute, by its name."""
    return {
        one.get("Name", ""): _text(values[0])
        for one in assertion.xpath("./saml:AttributeStatement/saml:Attribute", namespaces=_NS)
        if (values := one.xpath("./saml:AttributeValue", namespaces=_NS))
    }


def _text(element: etree._Element) -> str:
    """All of its text: what stands before a comment only would be somebody else's name."""
    return "".join(element.itertext()).strip()
