"""Whether the portal still answers while clients are slow: each holds a connection and sends a byte a second.

One good client opens a connection a request, for `--seconds`; a request without an answer within five seconds counts as
refused. Slow clients stop in the middle of a header, or of the sign-in form.

    python -m benchmarks.slow_clients [--server portal gunicorn] [--slow 40 200] [--seconds 8]
"""

import argparse
import contextlib
import http.client
import socket
import statistics
import sys
import threading
import time

from benchmarks.report import machine, report
from benchmarks.stack import SERVERS, Stack, running

PATIENCE = 5
"""Seconds after which the good client gives up."""
BEGINNINGS = {
    "headers": b"GET /health/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    # With a cookie the portal reads the form, to compare its token.
    "bodies": b"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Cookie: csrftoken=" + b"x" * 32 + b"\r\nContent-Length: 10000\r\n\r\nusername=",
}


def main() -> None:
    """Measure every server with every kind and number of slow clients."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--server", nargs="*", choices=[*SERVERS], default=["portal"])
    arguments.add_argument("--slow", type=int, nargs="*", default=[40, 200])
    arguments.add_argument("--seconds", type=float, default=8)
    options = arguments.parse_args()
    before = machine()
    with running(queue=False) as stack:
        for server in options.server:
            figures: dict[str, float] = {}
            for kind in BEGINNINGS:
                for count in options.slow:
                    stack.serve(server)
                    figures |= _measure(stack, kind, count, options.seconds)
                    print(server, figures, file=sys.stderr, flush=True)
            report("slow_clients", figures, on=before, server=server)


def _measure(stack: Stack, kind: str, count: int, seconds: float) -> dict[str, float]:
    stop = threading.Event()
    slow = threading.Thread(target=_be_slow, args=(stack.port, BEGINNINGS[kind], count, stop))
    slow.start()
    time.sleep(2)
    until, times, refused = time.perf_counter() + seconds, [], 0
    while time.perf_counter() < until:
        began = time.perf_counter()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=PATIENCE)
            connection.request("GET", "/health/")
            refused += connection.getresponse().status != 200
            times.append(1000 * (time.perf_counter() - began))
        except OSError:
            refused += 1
        finally:
            connection.close()
        time.sleep(0.02)
    stop.set()
    slow.join()
    place = f"{count}_slow_{kind}"
    figures = {f"answered_{place}": float(len(times)), f"refused_{place}": float(refused)}
    if times:
        figures |= {f"p50_ms_{place}": statistics.median(times), f"worst_ms_{place}": max(times)}
    return figures


def _be_slow(port: int, beginning: bytes, count: int, stop: threading.Event) -> None:
    held: list[socket.socket] = []
    while not stop.wait(1):
        for place, connection in enumerate(held):
            # The server has hung up: come again.
            if not _send(connection, b"x"):
                connection.close()
                held[place] = _connected(port, beginning)
        held += [_connected(port, beginning) for _ in range(count - len(held))]
    for connection in held:
        connection.close()


def _connected(port: int, beginning: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    _send(connection, beginning)
    return connection


def _send(connection: socket.socket, data: bytes) -> bool:
    with contextlib.suppress(OSError):
        connection.sendall(data)
        return True
    return False


if __name__ == "__main__":
    main()
