"""Outbound requests: only to public addresses, only so much, only so long."""

import contextlib
import datetime
import http.server
import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from marketplace import fetch
from marketplace.errors import Forbidden, Invalid


class Answers(http.server.BaseHTTPRequestHandler):
    """A server that behaves well on most paths and badly on some."""

    protocol_version = "HTTP/1.1"
    seen: list[dict] = []

    def do_GET(self):
        type(self).seen.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
        if self.path == "/drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(200):
                self.wfile.write(b"X")
                self.wfile.flush()
                time.sleep(0.1)
        elif self.path == "/drip-chunks":
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
            )
            for _ in range(200):
                self.wfile.write(b"0")
                self.wfile.flush()
                time.sleep(0.1)
        elif self.path == "/short":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\nhello")
            self.close_connection = True
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            for _ in range(1000):
                self.wfile.write(bytes(10_000))
        elif self.path.startswith("/to="):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            body = self.path.encode()
            self.send_response(404 if self.path == "/missing" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def do_POST(self):
        self.send_response(200)
        body = self.rfile.read(int(self.headers["Content-Length"]))[::-1]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_):
        """Tests are quiet."""


@pytest.fixture
def server(settings):
    """A server on this machine that the settings allow, by address and by name."""
    Answers.seen.clear()
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    port = httpd.server_address[1]
    settings.FETCH_ALLOWED_HOSTS = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
    yield f"http://127.0.0.1:{port}"
    httpd.shutdown()
    httpd.server_close()


def test_a_request_and_its_answer(server):
    answer = fetch.fetch(server + "/hello?a=1")
    assert (answer.status, answer.body) == (200, b"/hello?a=1")
    assert fetch.fetch(server + "/missing").status == 404
    assert fetch.fetch(server, method="POST", body=b"abc").body == b"cba"


def test_redirects_are_followed_and_checked_and_counted(server):
    assert fetch.fetch(server + "/to=/there").url == server + "/there"
    with pytest.raises(Forbidden, match="not a public address"):
        fetch.fetch(server + "/to=http://169.254.169.254/latest/meta-data/")
    with pytest.raises(Invalid):
        fetch.fetch(server + "/to=file:///etc/passwd")
    with pytest.raises(fetch.FetchFailed, match="redirects"):
        fetch.fetch(server + "/to=/to=/to=/end", max_redirects=1)


def test_credentials_do_not_follow_to_another_origin(server):
    port = server.rsplit(":", 1)[1]
    fetch.fetch(f"{server}/to=http://localhost:{port}/there", headers={"Authorization": "secret"})
    assert Answers.seen[0]["authorization"] == "secret"
    assert "authorization" not in Answers.seen[1]
    assert Answers.seen[1]["host"] == f"localhost:{port}"


def test_size_and_time_are_limited(server):
    with pytest.raises(fetch.FetchFailed, match="larger than 50,000 bytes"):
        fetch.fetch(server + "/endless", max_bytes=50_000)


@pytest.mark.parametrize("path", ["/drip", "/drip-chunks"])
def test_a_sender_of_one_byte_at_a_time_is_cut_off(server, path):
    """Each byte comes well within any timeout of the socket; the whole would take twenty seconds."""
    with pytest.raises(fetch.FetchFailed, match="too long"):
        fetch.fetch(server + path, seconds=1)


def test_an_answer_that_ends_early_is_no_answer(server):
    with pytest.raises(fetch.FetchFailed, match=r"/short: .*5 bytes read, 95 more expected"):
        fetch.fetch(server + "/short")


def test_a_path_in_other_letters_is_percent_encoded_and_nothing_else(server):
    assert fetch.fetch(server + "/a%2fé/..?q=%20ü").body == b"/a%2f%C3%A9/..?q=%20%C3%BC"


def test_the_caller_does_not_choose_the_host_header(server):
    fetch.fetch(server + "/x", headers={"host": "internal.example", "X-Token": "1"})
    assert (Answers.seen[0]["host"], Answers.seen[0]["x-token"]) == (server.removeprefix("http://"), "1")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[::127.0.0.1]",
        "[fe80::1]",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_special_addresses_are_refused_in_every_spelling(host):
    """A host that cannot be resolved would be no refusal: another machine may resolve it."""
    with pytest.raises(Forbidden, match="not a public address"):
        fetch.fetch(f"http://{host}:9/", seconds=5)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_are_public(address):
    assert fetch.public(address)


def test_the_address_that_was_checked_is_the_one_that_is_called(server, monkeypatch, settings):
    """A name server that answers differently the second time leads nowhere."""
    port = int(server.rsplit(":", 1)[1])
    settings.FETCH_ALLOWED_HOSTS = frozenset({f"rebind.example:{port}"})
    asked = []

    def resolve(host, *_args, **_options):
        asked.append(host)
        address = "127.0.0.1" if asked.count("rebind.example") == 1 and host == "rebind.example" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert fetch.fetch(f"http://rebind.example:{port}/x").body == b"/x"
    assert asked.count("rebind.example") == 1
    assert Answers.seen[0]["host"] == f"rebind.example:{port}"


def test_one_bad_address_refuses_the_name(monkeypatch):
    def resolve(host, port, **_options):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(Forbidden, match="two.example: leads to 10.0.0.1, which is not a public address"):
        fetch.fetch("http://two.example/")


@pytest.fixture
def tls_server(server, tmp_path, monkeypatch, settings):
    """The same server under TLS with a certificate for good.example; good.example and bad.example lead to it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "good.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("good.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    port = httpd.server_address[1]
    settings.FETCH_ALLOWED_HOSTS = frozenset({f"good.example:{port}", f"bad.example:{port}"})
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: real("127.0.0.1", *rest, **more))
    yield port, tmp_path / "certificate.pem"
    httpd.shutdown()
    httpd.server_close()


def test_the_certificate_must_be_the_names(tls_server, monkeypatch):
    port, certificate = tls_server
    with pytest.raises(fetch.FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
        fetch.fetch(f"https://good.example:{port}/x")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetch.fetch(f"https://good.example:{port}/x").body == b"/x"
    assert Answers.seen[0]["host"] == f"good.example:{port}"
    with pytest.raises(fetch.FetchFailed, match="Hostname mismatch|doesn't match"):
        fetch.fetch(f"https://bad.example:{port}/x")
    assert len(Answers.seen) == 1


def silent(connection):
    """Accept the connection and say nothing."""
    connection.recv(100)


def dripping(connection):
    """Begin a TLS record of 16,000 bytes, the server's part of the handshake, and send a byte of it now and then."""
    connection.sendall(b"\x16\x03\x03\x3e\x80")
    for _ in range(200):
        connection.sendall(b"\x02")
        time.sleep(0.1)


@pytest.mark.parametrize("behave", [silent, dripping])
def test_a_tls_handshake_that_does_not_end_is_cut_off(settings, behave):
    """The server lets go after twenty seconds; the fetch has a deadline of one."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted = []

    def serve():
        connection, _ = listener.accept()
        accepted.append(connection)
        with contextlib.suppress(OSError):
            behave(connection)

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    settings.FETCH_ALLOWED_HOSTS = frozenset({f"127.0.0.1:{port}"})
    with pytest.raises(fetch.FetchFailed, match="too long"):
        fetch.fetch(f"https://127.0.0.1:{port}/", seconds=1)
    accepted[0].close()
    listener.close()


def test_connecting_slowly_and_then_shaking_hands_slowly_have_one_deadline_together(settings):
    """The connection is refused room for a second; then the server says nothing, and sees who hangs up when."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    address = listener.getsockname()
    fillers = [socket.socket() for _ in range(3)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(address)
    settings.FETCH_ALLOWED_HOSTS = frozenset({f"127.0.0.1:{address[1]}"})
    outcome = []

    def fetching():
        with pytest.raises(fetch.FetchFailed, match="too long"):
            fetch.fetch(f"https://127.0.0.1:{address[1]}/", seconds=2)

    client = threading.Thread(target=fetching)
    client.start()
    time.sleep(0.5)
    # From here on there is room: the kernel tries again a second after its first attempt.
    ours = {filler.getsockname() for filler in fillers}
    while not outcome:
        connection, peer = listener.accept()
        if peer in ours:
            continue
        assert connection.recv(10_000)  # the client's first part of the handshake
        connection.settimeout(1.5)  # two seconds are over in one; another two would be over in two
        try:
            outcome.append(connection.recv(1))
        except TimeoutError:
            outcome.append(None)
    client.join()
    for each in (*fillers, listener):
        each.close()
    assert outcome == [b""], "the fetch was still shaking hands after its deadline"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/b",
        "http://",
        "http://user:pw@a.org/",
        "http://a.org:0/",
        "http://a b.org",
        "http://a.org/\r\nX: y",
        "x",
    ],
)
def test_bad_urls_are_refused(url):
    with pytest.raises(Invalid) as refused:
        fetch.fetch(url)
    assert refused.value.field == "url"
