"""The production web server as a process: slow clients cost nobody else anything, bodies have limits, it stops well.

The benchmark `slow_clients` measures the same; here it is enough that everybody else is answered.
"""

import signal
import socket

import psutil
import pytest

from tests.frontend.web_process import Web, web

# For a migrated database to copy (see tests/databases.py); in one process, so that the server is started once.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("web server")]

SECONDS = 3
"""What a client may take; the slow ones of these tests take longer."""
SLOW = 60
HEADERS = b"GET /health/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
# With a cookie the form is read, for its CSRF token.
BODY = (
    b"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Cookie: csrftoken=" + b"x" * 32 + b"\r\nContent-Length: 1000\r\n\r\nusername="
)


@pytest.fixture(scope="module")
def server(django_db_setup):
    """One process with two threads: three slow clients would be enough to silence it."""
    with web(WAGGLE_WEB_THREADS="2", WAGGLE_REQUEST_SECONDS=str(SECONDS)) as up:
        yield up


@pytest.mark.parametrize(
    "beginning", [pytest.param(HEADERS, id="headers", marks=pytest.mark.slow), pytest.param(BODY, id="bodies")]
)
def test_slow_clients_are_cut_off_and_others_are_answered_meanwhile(server: Web, beginning):
    slow = [server.open(beginning) for _ in range(SLOW)]
    try:
        for _ in range(5):
            assert server.get()[0] == 200
        # Somebody who is slow and whose request has not been thrown away yet can still finish it.
        quick = server.open(HEADERS)
        quick.sendall(b"no\r\n\r\n")
        assert quick.recv(100).startswith(b"HTTP/1.1 200 ")
        answers = [connection.recv(1000) for connection in slow]
    finally:
        for connection in slow:
            connection.close()
    if beginning is BODY:
        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)
        assert b"the body did not arrive within 3 s" in answers[0]
    else:
        assert answers == [b""] * SLOW


@pytest.mark.slow
def test_a_client_that_sends_a_byte_now_and_then_is_cut_off_too(server: Web):
    connection = server.open(BODY)
    connection.settimeout(0.2)
    answer = b""
    for _ in range(100):
        connection.sendall(b"x")
        try:
            answer = connection.recv(1000)
            break
        except TimeoutError:
            continue
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed_and_a_busy_one_is_kept(server: Web):
    request = b"GET /health/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    connection = server.open(request)
    assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
    connection.sendall(request)
    assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert connection.recv(1000) == b""


def written(server: Web) -> int:
    """Bytes that the server's processes have written so far, to files and connections."""
    return sum(process.io_counters().write_chars for process in server.answering())


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("token", ["", "wgl_unknown"])
def test_a_large_body_of_a_stranger_is_refused_and_kept_nowhere(server: Web, chunked, token):
    before = written(server)
    status, text = server.post_file("/api/v1/uploads", size=372_000_000, chunked=chunked, token=token)
    assert status == 401
    assert "at most 65,536 are taken without signing in" in text
    assert written(server) - before < 100_000


def test_a_page_refuses_a_large_body_of_a_stranger(server: Web):
    status, text = server.post_file("/sign-in/", size=300_000, cookies="csrftoken=" + "x" * 32)
    assert status == 413
    assert "at most 65,536 are taken without signing in" in text


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/api/v1/datasets", "/wallet/", "/api/v1/nowhere"])
def test_a_body_over_the_limit_of_its_address_is_refused_with_the_limit(server: Web, path, chunked):
    before = written(server)
    signed_in = {"token": server.requester["token"]} if "api" in path else {"cookies": server.requester["cookie"]}
    status, text = server.post_file(path, size=12_000_000, chunked=chunked, **signed_in)
    assert status == 413
    assert "at most 10,485,760 are taken here; files go to /api/v1/uploads" in text
    # In chunks a body has no length that could be looked at: it is read up to the limit.
    assert written(server) - before < (11_000_000 if chunked else 100_000)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_signed_in_caller_uploads_large_files(server: Web, chunked):
    given = server.requester
    status, text = server.post_file("/api/v1/uploads", size=20_000_000, chunked=chunked, token=given["token"])
    assert status == 201 and '"size":20000000' in text


@pytest.mark.slow
def test_uploads_have_a_limit_of_their_own(server: Web):
    with server.another(WAGGLE_UPLOAD_MAX_BYTES=str(2**20)) as strict:
        status, text = strict.post_file("/api/v1/uploads", size=2 * 2**20, token=server.requester["token"])
        assert status == 413 and "at most 1,048,576 are taken here" in text


def test_a_head_request_gets_the_headers_alone(server: Web):
    status, headers, body = server.get("/sign-in/", method="HEAD")
    assert (status, body) == (200, b"")
    assert headers["Content-Length"] == server.get("/sign-in/")[1]["Content-Length"]


def test_addresses_and_headers_arrive_as_they_were_sent(server: Web):
    """A NUL, an encoded slash, bytes that are no UTF-8: each is an unknown address, none an error of the server."""
    for path in ("/a%00b", "/%2e%2e/%2fetc", "/%ff%fe", "/sign-in/%C3%BC"):
        assert server.get(path)[0] == 404, path
    assert server.get("/sign-in/", **{"X-Name": "Zo\xeb"})[0] == 200


def test_requests_that_have_begun_are_finished_when_the_server_stops(server: Web):
    with server.another(WAGGLE_REQUEST_SECONDS="60") as stopping:
        begin = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
        form = begin + bytes(1000) + b"\r\n--x--\r\n"
        head = (
            f"POST /api/v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {server.requester['token']}\r\n"
            f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(form)}\r\n\r\n"
        )
        connection = stopping.open(head.encode() + form[:500])
        # The request is known to the server before it is told to stop.
        assert stopping.get()[0] == 200
        processes = [stopping.main, *stopping.answering()]
        stopping.main.send_signal(signal.SIGTERM)
        while _accepts(stopping):
            pass
        connection.sendall(form[500:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 201 ")
        _, alive = psutil.wait_procs(processes, timeout=60)
        assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def _accepts(server: Web) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
    except (ConnectionRefusedError, ConnectionResetError):
        # Reset where the server stopped listening between the first and the last packet of this connection's beginning.
        return False
    return True


@pytest.mark.slow
def test_a_killed_process_is_replaced_and_none_outlives_the_main_one(server: Web):
    with server.another(WAGGLE_WEB_WORKERS="2") as two:
        first, second = two.answering()
        first.kill()
        psutil.wait_procs([first], timeout=30)
        while len({process.pid for process in two.answering()} - {first.pid}) < 2:
            assert two.main.is_running()
        # The new one is still loading the portal when the main process goes.
        workers = two.answering()
        two.main.kill()
        _, alive = psutil.wait_procs(workers, timeout=60)
        assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
