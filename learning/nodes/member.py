"""One node's part of a program that several nodes run together: an actor of Ray that holds a folder and a process.

All members read the same order, and so the same input. Only the first one's folder counts: it sends what there is to
see, its checkpoints and the result. No Django here, and no keys of the store.
"""

import contextlib
import socket
from contextlib import ExitStack
from dataclasses import dataclass

from learning.contract import EXIT_BAD_INPUT, JobFolder
from learning.group import VARIABLE, Group
from learning.nodes import desk
from learning.nodes.desk import Desk
from learning.nodes.parcels import LOG
from learning.services.programs.executor import LocalExecutor, LocalProgram

READ_BYTES = 1 << 18
"""Of what a program has written, at once."""


@dataclass(frozen=True)
class Seen:
    """What one look at a member has shown: its exit status (None while it runs) and what it has written since."""

    status: int | None
    text: str


class Member:
    """The member with this number, of so many; `url` is the link to the order."""

    def __init__(self, url: str, number: int, count: int) -> None:
        self.number, self.count = number, count
        self._held = ExitStack()
        self._desk = Desk(url, self._held.enter_context(desk.place()))
        self.folder = JobFolder(self._desk.folder)
        self._program: LocalProgram | None = None
        self._read, self._asked = 0, False

    def fetch(self) -> tuple[str, int]:
        """Fill the folder; gives the address of this node and a free port on it. Raises Gone, NotSent."""
        from ray.util import get_node_ip_address

        self._desk.fetch()
        address = str(get_node_ip_address())
        with socket.create_server((address, 0)) as server:
            return address, int(server.getsockname()[1])

    def start(self, address: str, port: int, here: str) -> None:
        """Start the program, which meets the others at that address; `here` is this node's own."""
        order = self._desk.order
        group = Group(self.number, self.count, f"{address}:{port}", here)
        executor = LocalExecutor(
            niceness=order.niceness,
            threads=order.threads,
            inherited=order.inherited,
            environment={VARIABLE: group.to_text()},
            fatal=True,
        )
        self._program = executor.start(order.arguments, self.folder.root)

    def look(self) -> Seen:
        """How it stands; the first member sends what there is to see meanwhile. Raises Gone."""
        assert self._program is not None
        status = self._program.poll()
        if self.number == 0 and status is None:
            if self._desk.renew() and self._desk.order.stop and not self._asked:
                # The others learn of it from this one, between two steps.
                self._asked = True
                self._program.terminate()
            self._desk.look()
        return Seen(status, self._written(last=status is not None))

    def failure(self) -> str:
        """The reason that the program has given for its failure; "" without one."""
        return self.folder.read_failure() or ""

    def finish(self, status: int, failure: str) -> None:
        """Send the result, with the reason of the member that failed first. Raises NotSent."""
        if failure:
            self.folder.write_failure(failure)
        self._desk.finish(status)

    def end(self) -> None:
        """Kill the program and remove the folder."""
        if self._program is not None:
            self._program.kill()
        self._held.close()

    def _written(self, *, last: bool) -> str:
        """Whole lines, and in the end all that is left."""
        with contextlib.suppress(FileNotFoundError), (self.folder.output / LOG).open("rb") as stream:
            stream.seek(self._read)
            found = stream.read() if last else stream.read(READ_BYTES)
            if not last and len(found) < READ_BYTES:
                found = found[: found.rfind(b"\n") + 1]
            self._read += len(found)
            return found.decode(errors="replace")
        return ""


def deciding(statuses: list[int | None]) -> int:
    """The number of the member whose status is that of the whole; None is one that has not ended.

    The first one's where it is 0, for it has the result; else that of one that found bad input, was killed, or failed.
    """
    if statuses[0] == 0:
        return 0
    for matters in (lambda one: one == EXIT_BAD_INPUT, lambda one: one < 0, lambda one: one > 0):
        for number, status in enumerate(statuses):
            if status is not None and matters(status):
                return number
    return 0
