"""A company's SAML provider of the tests' own: its key is made when it begins, and it signs whatever it is told to."""

import base64
import html
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
EMAIL = "urn:oid:0.9.2342.19200300.100.1.3"
BOMB = '<!DOCTYPE r [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
"""Entities that grow, and one that reads a file; comes before a document."""

Change = Callable[[etree._Element], None]
_RESPONSE = """<samlp:Response xmlns:samlp="{samlp}" xmlns:saml="{saml}" ID="{response}" Version="2.0"
 IssueInstant="{now}" Destination="{place}" InResponseTo="{asked}"><saml:Issuer>{issuer}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
<saml:Assertion ID="{assertion}" Version="2.0" IssueInstant="{now}"><saml:Issuer>{issuer}</saml:Issuer>
<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{subject}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData
 InResponseTo="{asked}" Recipient="{place}" NotOnOrAfter="{end}"/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{begin}" NotOnOrAfter="{end}"><saml:AudienceRestriction
><saml:Audience>{audience}</saml:Audience
></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{now}"><saml:AuthnContext>
<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>
</saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="{mail}">
<saml:AttributeValue>{email}</saml:AttributeValue></saml:Attribute><saml:Attribute Name="displayName">
<saml:AttributeValue>{name}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>"""


class Provider:
    """A provider with a key; `url` is where it serves once it does."""

    def __init__(self, url: str = "https://idp.hives.example") -> None:
        self.url = url
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp")])
        now = datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        self.certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
        form = serialization.PrivateFormat.PKCS8
        self.key = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

    @property
    def issuer(self) -> str:
        """Its entity id."""
        return f"{self.url}/entity"

    def metadata(self) -> str:
        """What an admin pastes."""
        lines = "".join(self.certificate.strip().splitlines()[1:-1])
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{self.issuer}"><md:IDPSSODescriptor
 protocolSupportEnumeration="{NS["samlp"]}"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{NS["ds"]}">
<ds:X509Data><ds:X509Certificate>{lines}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService
 Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
 Location="{self.url}/sso/?tenant=1"/></md:IDPSSODescriptor>
</md:EntityDescriptor>"""

    def tree(self, **said: str) -> etree._Element:
        """An unsigned response that is right, about `subject` with an `email`, to `asked` at `place` for `audience`."""
        now = datetime.now(UTC)
        times = {"now": now, "begin": now - timedelta(minutes=1), "end": now + timedelta(minutes=5)}
        filled = {
            **NS,
            **{name: f"{time:%Y-%m-%dT%H:%M:%SZ}" for name, time in times.items()},
            "response": f"_{uuid4().hex}",
            "assertion": f"_{uuid4().hex}",
            "issuer": self.issuer,
            "mail": EMAIL,
            "name": said["subject"].title(),
            **said,
        }
        return etree.fromstring(_RESPONSE.format(**{name: html.escape(text) for name, text in filled.items()}))

    def sign(self, element: etree._Element, **how: Any) -> None:
        """Sign an element of a response, in its place after the issuer."""
        method, digest = how.get("method", xmlsec.Transform.RSA_SHA256), how.get("digest", xmlsec.Transform.SHA256)
        signature = xmlsec.template.create(element, xmlsec.Transform.EXCL_C14N, method, ns="ds")
        element.insert(1, signature)
        reference = xmlsec.template.add_reference(signature, digest, uri=f"#{element.get('ID')}")
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        for transform in how.get("transforms", (xmlsec.Transform.EXCL_C14N,)):
            xmlsec.template.add_transform(reference, transform)
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
        xmlsec.tree.add_ids(element, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(self.key, xmlsec.KeyFormat.PEM)
        context.key.load_cert_from_memory(self.certificate, xmlsec.KeyFormat.PEM)
        context.sign(signature)

    def answer(
        self, *, before: Change | None = None, after: Change | None = None, sign: bool = True, **said: Any
    ) -> str:
        """A response as a browser brings it; `before` and `after` change it before and after it is signed."""
        how = said.pop("how", {})
        root = self.tree(**said)
        if before is not None:
            before(root)
        if sign:
            self.sign(assertion_of(root), **how)
        if after is not None:
            after(root)
        return base64.b64encode(etree.tostring(root)).decode()


def assertion_of(root: etree._Element) -> etree._Element:
    """The first assertion of a response."""
    return one(root, "./saml:Assertion")


def one(root: etree._Element, path: str) -> etree._Element:
    """The first element at a path."""
    return root.xpath(path, namespaces=NS)[0]


def request_in(address: str) -> etree._Element:
    """The request that a browser takes to a provider."""
    (packed,) = parse_qs(urlsplit(address).query)["SAMLRequest"]
    return etree.fromstring(zlib.decompress(base64.b64decode(packed), -15))


def described(request: etree._Element) -> dict[str, str]:
    """What a request asks for, as `Provider.answer` takes it."""
    place = request.get("AssertionConsumerServiceURL")
    return {"asked": request.get("ID"), "place": place, "audience": request.findtext("saml:Issuer", namespaces=NS)}


@contextmanager
def served() -> Iterator[Provider]:
    """A provider whose sign-in page, /sso/, answers at once about whoever the cookies `subject` and `email` name."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            cookies = dict(part.split("=", 1) for part in self.headers["Cookie"].split("; "))
            asked = described(request_in(self.path))
            response = provider.answer(subject=cookies["subject"], email=cookies["email"], **asked)
            form = (
                f'<form method="post" action="{asked["place"]}"><input name="SAMLResponse" value="{response}"></form>'
            )
            self.send_response(200)
            self.end_headers()
            self.wfile.write(form.encode())

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        provider = Provider(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
