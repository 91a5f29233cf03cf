"""One listening socket for all processes of the web server, which the process that watches over them holds open.

On Linux Granian opens one for each process: connections are refused while no process listens, and those that wait for a
process that ends are reset. With one, they wait for whichever process is there next. Knows nothing of requests.
"""

import socket

from granian.server.mp import MPServer, SocketHolder


class Server(MPServer):
    """Granian whose processes share a socket, as they do already where it is one of the file system."""

    def _init_shared_socket(self) -> None:
        """Called by Granian before it starts the first process. Raises OSError for an address that is taken."""
        if self.bind_uds:
            super()._init_shared_socket()
            return
        family = socket.AF_INET6 if ":" in self.bind_addr else socket.AF_INET
        # Sent to each process, which finds it under the same number, and closed at the end, both by Granian.
        self._sso = socket.create_server((self.bind_addr, self.bind_port), family=family, backlog=self.backlog)
        self._sso.setblocking(False)
        # What is wrong by its stub is right by granian._granian, which is written in Rust.
        self._shd = SocketHolder(self._sso.fileno(), False, self.backlog)  # type: ignore[call-arg, assignment]
