"""A proxy before several web servers, as small as one can be: each connection goes to the next server that takes it."""

import itertools
import selectors
import socket
import threading
from contextlib import suppress

CHUNK = 65536


class Balancer:
    """Listens at `url` until it is closed."""

    def __init__(self, ports: list[int]):
        self._ports = itertools.cycle(ports)
        self._count = len(ports)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, name="balancer", daemon=True).start()

    def close(self) -> None:
        """Take no further connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        for _ in range(self._count):
            with suppress(OSError), socket.create_connection(("127.0.0.1", next(self._ports)), timeout=5) as server:
                server.settimeout(None)
                with client:
                    _pass_on(client, server)
                return
        client.close()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    """Both ways, until either side is closed or reset."""
    with selectors.DefaultSelector() as ready:
        ready.register(one, selectors.EVENT_READ, other)
        ready.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in ready.select():
                source, target = key.fileobj, key.data
                assert isinstance(source, socket.socket)
                block = source.recv(CHUNK)
                if not block:
                    return
                target.sendall(block)
