"""Processes of the web server that outlive a killed parent would keep its port: they end with it."""

import multiprocessing
import os
import signal
import threading
import time

LOOK_SECONDS = 1


def end_with_parent() -> None:
    """Let this process end gracefully once the process that started it is gone; nothing for one that nobody started."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    # What it was at the fork: it may be gone by now.
    number = parent.pid

    def watch() -> None:
        while os.getppid() == number:
            time.sleep(LOOK_SECONDS)
        # Again and again: until the server listens to signals, those of its parent's kind are swallowed.
        while True:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(LOOK_SECONDS)

    threading.Thread(target=watch, name="parent", daemon=True).start()
