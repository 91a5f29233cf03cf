"""A server that stands in for Amazon SNS: it signs messages, has the certificate, and hears confirmations."""

import base64
import http.server
import json
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:us-east-1:123456789012:hives"
_ORDER = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SHA = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303


class Sns:
    """`confirmed`: the paths by which subscriptions were confirmed."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.confirmed: list[str] = []
        self.renew()
        sns = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = b"confirmed"
                if self.path == sns.certificate:
                    body = sns.pem
                else:
                    sns.confirmed.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def host(self) -> str:
        """host:port, as WAGGLE_FETCH_ALLOWED_HOSTS has it."""
        return f"127.0.0.1:{self.server.server_port}"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}"

    def _pem(self, valid: timedelta) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + valid)
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)

    def renew(self, *, days: int = 1) -> None:
        """Give it another certificate, under another name, that is valid for so many days from now."""
        self.certificate = f"/SimpleNotificationService-{uuid.uuid4().hex}.pem"
        self.pem = self._pem(timedelta(days=days))

    def signed(self, members: dict[str, str], *, version: str = "2") -> bytes:
        """The body of a message with these members, signed as SNS does."""
        whole = {
            "MessageId": str(uuid.uuid4()),
            "TopicArn": TOPIC,
            "Timestamp": "2026-01-02T03:04:05.678Z",
            **members,
        }
        text = "".join(f"{name}\n{whole[name]}\n" for name in _ORDER if name in whole)
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), _SHA[version])
        whole |= {
            "SignatureVersion": version,
            "Signature": base64.b64encode(signature).decode(),
            "SigningCertURL": f"https://sns.us-east-1.amazonaws.com{self.certificate}",
        }
        return json.dumps(whole).encode()

    def message(self, content: Any, *, version: str = "2", **members: str) -> bytes:
        """A notification; `content` is its text, or JSON."""
        text = content if isinstance(content, str) else json.dumps(content)
        return self.signed({"Type": "Notification", "Message": text, **members}, version=version)

    def confirmation(self, **members: str) -> bytes:
        """What it sends to a new subscription first."""
        return self.signed(
            {
                "Type": "SubscriptionConfirmation",
                "Message": "You have chosen to subscribe to the topic",
                "Token": "t0ken",
                "SubscribeURL": f"{self.url}/?Action=ConfirmSubscription&Token=t0ken",
                **members,
            }
        )


@contextmanager
def sns_server() -> Iterator[Sns]:
    """One that listens until the end of the block."""
    made = Sns()
    with _listening(made.server):
        yield made


@contextmanager
def _listening(server: http.server.ThreadingHTTPServer) -> Iterator[None]:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()


@contextmanager
def with_certificates(url: str) -> Iterator[str]:
    """The address of a server that hands everything on to moto at `url`, and has the certificates of its topics.

    moto finds out by the signature of a request which service it is for, and a request for a certificate has none.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def _hand_on(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            headers.setdefault("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/sns/aws4_request")
            asked = urllib.request.Request(url + self.path, self.rfile.read(size) or None, headers, method=self.command)
            with urllib.request.urlopen(asked) as answer:
                body = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _hand_on

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with _listening(server):
        yield f"http://127.0.0.1:{server.server_port}"
