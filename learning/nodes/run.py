"""`python -m learning.nodes.run`: runs one program on a node of a cluster, in a folder that comes from the store.

Its order (parcels.py) is at the link in WAGGLE_NODE_ORDER. The program is a child process of this one, with the
environment that it would have at the learner. No Django here, and no keys of the store.
"""

import os
import sys
import time

from learning.nodes import desk, links, parcels
from learning.nodes.desk import Desk, say
from learning.services.programs.executor import LocalExecutor

POLL_SECONDS = 0.25


def main() -> int:
    """Run the program; returns 0 when its result was sent, whatever its exit status is."""
    url = os.environ.pop(parcels.ORDER_URL)
    killed = desk.begun()
    try:
        with desk.place() as folder:
            here = Desk(url, folder)
            here.fetch()
            status = _run(here, killed)
            if killed:
                return 1
            here.finish(status)
    except links.Gone:
        say("this start was given up")
        return 1
    except links.NotSent as error:
        say(f"the store cannot be reached from this node: {error}")
        return 1
    return 0


def _run(here: Desk, killed: list[int]) -> int:
    order = here.order
    executor = LocalExecutor(
        niceness=order.niceness, threads=order.threads, inherited=order.inherited, log=False, fatal=True
    )
    program = executor.start(order.arguments, here.folder)
    asked = False
    try:
        while (status := program.poll()) is None:
            time.sleep(POLL_SECONDS)
            if killed:
                program.kill()
                return 1
            if here.renew() and here.order.stop and not asked:
                asked = True
                program.terminate()
            here.look()
    except BaseException:
        program.kill()
        raise
    return status


if __name__ == "__main__":
    sys.exit(main())
