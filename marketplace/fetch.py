"""The one door for outbound HTTP: webhooks, imports from a URL, functions of requesters.

A name is resolved once and the connection goes to that very address, so a second answer of the name server cannot
lead inside. Private, loopback, link-local and other special addresses are refused, redirects are checked like first
requests, size and time are limited. Knows nothing of who asks or why.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urljoin, urlsplit

from django.conf import settings

from marketplace.errors import Forbidden, Invalid, Unavailable

REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Special ranges that `ipaddress` may still call global.
DENIED_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
CHUNK = 64 * 1024


class FetchFailed(Unavailable):
    """The other side cannot be reached, is too slow, or sends too much."""


@dataclass
class Response:
    """What came back; `url` is where the last redirect led."""

    status: int
    body: bytes
    url: str
    headers: dict[str, str] = field(default_factory=dict)


def fetch(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    max_bytes: int = 10 * 1024 * 1024,
    seconds: float = 30,
    max_redirects: int = 5,
) -> Response:
    """Make one request and read the whole answer, at most `max_bytes` of it, in at most `seconds` altogether.

    Any status is an answer. Redirects are followed for GET and HEAD only. Raises Invalid for a bad URL, Forbidden for
    an address that may not be reached, FetchFailed for the rest.
    """
    deadline = time.monotonic() + seconds
    sent = {"User-Agent": "Waggle", "Accept-Encoding": "identity", **(headers or {})}
    first_origin = origin = _origin(_checked(url))
    for _ in range(max_redirects + 1):
        if origin != first_origin:
            sent = {name: value for name, value in sent.items() if name.lower() not in ("authorization", "cookie")}
        response = _request(url, method, body, sent, max_bytes, deadline)
        location = response.headers.get("location")
        if response.status not in REDIRECTS or not location or method not in ("GET", "HEAD"):
            return response
        url = urljoin(url, location)
        origin = _origin(_checked(url))
    raise FetchFailed(f"{url}: more than {max_redirects} redirects")


def allowed_address(host: str, port: int) -> str:
    """The one IP address to connect to. Raises Forbidden when any address of the host is special, FetchFailed when
    the name has none. One bad address refuses the whole name: it is a trick, not an accident."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchFailed(f"{host}: the name cannot be resolved ({error})") from None
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not public(address) and f"{host}:{port}" not in settings.FETCH_ALLOWED_HOSTS:
            raise Forbidden(f"{host}: leads to {address}, which is not a public address")
    return addresses[0]


def public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, v4 addresses in v6 clothes unwrapped."""
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if isinstance(ip, ipaddress.IPv6Address) and int(ip) >> 32 == 0:
        return False
    if any(ip.version == network.version and ip in network for network in DENIED_NETWORKS):
        return False
    return ip.is_global and not ip.is_multicast


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid(f"{url[:200]!r} is not a URL: {error}", field="url") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise Invalid(f"{url[:200]!r}: http://host/... or https://host/... expected", field="url")
    if parts.username is not None or any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise Invalid(f"{url[:200]!r}: a URL may not carry credentials, spaces or control characters", field="url")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _request(
    url: str, method: str, body: bytes | None, headers: dict[str, str], max_bytes: int, deadline: float
) -> Response:
    parts = _checked(url)
    scheme, host, port = _origin(parts)
    address = allowed_address(host, port)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if scheme == "https":
        connection: http.client.HTTPConnection = _PinnedHTTPS(host, port, address, _left(deadline, url))
    else:
        connection = _PinnedHTTP(host, port, address, _left(deadline, url))
    # A sender that drips bytes of a header would renew the socket's own timeout for ever.
    guillotine = threading.Timer(_left(deadline, url), _cut, (connection,))
    guillotine.daemon = True
    guillotine.start()
    try:
        connection.request(method, target, body=body, headers=headers)
        answer = connection.getresponse()
        data = _read(connection, answer, url, max_bytes, deadline)
        return Response(answer.status, data, url, {name.lower(): value for name, value in answer.getheaders()})
    except (OSError, http.client.HTTPException) as error:
        _left(deadline, url)
        raise FetchFailed(f"{url}: {error or type(error).__name__}") from None
    finally:
        guillotine.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection) -> None:
    if (sock := connection.sock) is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _read(
    connection: http.client.HTTPConnection, answer: http.client.HTTPResponse, url: str, max_bytes: int, deadline: float
) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        if connection.sock is not None:
            connection.sock.settimeout(_left(deadline, url))
        # read1 returns what has come: a slow sender cannot hold us past the deadline inside one call.
        chunk = answer.read1(CHUNK)
        if not chunk:
            _left(deadline, url)
            return b"".join(chunks)
        size += len(chunk)
        if size > max_bytes:
            raise FetchFailed(f"{url}: the answer is larger than {max_bytes:,} bytes")
        _left(deadline, url)
        chunks.append(chunk)


def _left(deadline: float, url: str) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise FetchFailed(f"{url}: took too long")
    return left


class _PinnedHTTP(http.client.HTTPConnection):
    """Connects to an address that was checked, and still says the name in the Host header."""

    def __init__(self, host: str, port: int, address: str, timeout: float):
        super().__init__(host, port, timeout=timeout)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _PinnedHTTPS(http.client.HTTPSConnection):
    """The same under TLS: the certificate is checked against the name, not the address."""

    def __init__(self, host: str, port: int, address: str, timeout: float):
        self._tls = ssl.create_default_context()
        super().__init__(host, port, timeout=timeout, context=self._tls)
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
