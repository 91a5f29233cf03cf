"""The one place that makes outbound HTTP requests: webhooks, imports from a URL, functions of requesters.

A name is resolved once, every address it has is checked, and the connection goes to a checked address: a second,
different answer of the name server cannot lead into the private network. Redirects are checked like first requests;
size and total time are limited. It must not know who asks or why.
"""

import contextlib
import http.client
import ipaddress
import socket
import string
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from django.conf import settings
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from marketplace.errors import Forbidden, Invalid, Unavailable

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses that send a GET or HEAD on to another URL."""
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
"""Special ranges, some of which `ipaddress` calls global: they lead to the own network or to translators into it."""
CHUNK = 64 * 1024
"""Bytes that are read at a time."""
SHUT_AGAIN_SECONDS = 0.2
"""How soon a connection that lives on after its deadline is shut down again."""
CREDENTIALS = frozenset({"authorization", "cookie"})
"""Headers that are not sent on to another origin."""


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
    given = {name: value for name, value in (headers or {}).items() if name.lower() != "host"}
    sent = {"User-Agent": "Waggle", "Accept-Encoding": "identity", **given}
    first_origin = origin = _origin(_checked(url))
    for _ in range(max_redirects + 1):
        if origin != first_origin:
            sent = {name: value for name, value in sent.items() if name.lower() not in CREDENTIALS}
        response = _request(url, method, body, sent, max_bytes, deadline)
        location = response.headers.get("location")
        if response.status not in REDIRECTS or not location or method not in ("GET", "HEAD"):
            return response
        url = urljoin(url, location)
        origin = _origin(_checked(url))
    raise FetchFailed(f"{url}: more than {max_redirects} redirects")


def allowed_address(host: str, port: int) -> str:
    """An IP address of the host, to connect to.

    Raises FetchFailed when the name has none, and Forbidden when any of its addresses is not public: a name with a
    public and a private address is refused as a whole, since honest names do not have both.
    """
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
    """Whether an IP address belongs to the public internet.

    An IPv6 address that embeds an IPv4 address (`::ffff:10.0.0.1`) is judged by the IPv4 address.
    """
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    # The first 96 bits are zero: unspecified, loopback, or an IPv4 address in a notation that is no longer in use.
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
    target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=string.punctuation)
    connection = _connection(parts, _left(deadline, url))
    try:
        with _closed_at(deadline, connection, url):
            connection.request(method, target, body, {**headers, "Host": _host_header(parts)}, preload_content=False)
            answer = connection.getresponse()
            data = _read(answer, url, max_bytes, deadline)
        return Response(answer.status, data, url, {name.lower(): value for name, value in answer.headers.items()})
    except (OSError, HTTPError, http.client.HTTPException) as error:
        _left(deadline, url)
        raise FetchFailed(f"{url}: {error or type(error).__name__}") from None
    finally:
        connection.close()


class _Handle:
    """Mixin of a connection: keeps a second handle on its socket, by which another thread can shut it down.

    While TLS shakes hands the connection has no socket: the plain one is taken from it, the wrapped one comes later.
    """

    handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        self.handle = connected.dup()
        return connected


class _Http(_Handle, HTTPConnection):
    pass


class _Https(_Handle, HTTPSConnection):
    pass


def _connection(parts: SplitResult, timeout: float) -> _Http | _Https:
    """A connection to a checked address; under TLS the certificate must be the name's, not the address's."""
    scheme, host, port = _origin(parts)
    address = allowed_address(host, port)
    if scheme == "https":
        return _Https(address, port, timeout=timeout, server_hostname=host, cert_reqs="CERT_REQUIRED")
    return _Http(address, port, timeout=timeout)


def _host_header(parts: SplitResult) -> str:
    """`name` or `name:port`, as the URL says it."""
    host = parts.hostname or ""
    name = f"[{host}]" if ":" in host else host
    return name if parts.port is None else f"{name}:{parts.port}"


@contextlib.contextmanager
def _closed_at(deadline: float, connection: _Http | _Https, url: str) -> Iterator[None]:
    """Connect, and shut the socket down at the deadline whatever it is doing.

    The socket's own timeout starts anew with each byte, so that a sender of one byte a second would hold us for ever.
    """
    over = threading.Event()

    def watch() -> None:
        # Every now and then until it is over: the socket may come into being just after the deadline.
        wait = max(0.0, deadline - time.monotonic())
        while not over.wait(wait):
            wait = SHUT_AGAIN_SECONDS
            if connection.handle is not None:
                with contextlib.suppress(OSError):
                    connection.handle.shutdown(socket.SHUT_RDWR)

    watcher = threading.Thread(target=watch, name="fetch deadline", daemon=True)
    _left(deadline, url)
    watcher.start()
    try:
        connection.connect()
        yield
    finally:
        over.set()
        watcher.join()
        if connection.handle is not None:
            connection.handle.close()


def _read(answer: BaseHTTPResponse, url: str, max_bytes: int, deadline: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    # read1 returns what has come, so that the size and the time are checked while a slow answer is still arriving.
    while chunk := answer.read1(CHUNK, decode_content=False):
        size += len(chunk)
        if size > max_bytes:
            raise FetchFailed(f"{url}: the answer is larger than {max_bytes:,} bytes")
        _left(deadline, url)
        chunks.append(chunk)
    _left(deadline, url)
    return b"".join(chunks)


def _left(deadline: float, url: str) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise FetchFailed(f"{url}: took too long")
    return left
