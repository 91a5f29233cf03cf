"""What all programs share: arguments, SIGTERM, and a readable reason of a failure.

It must not know what the work is.
"""

import argparse
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from learning.contract import EXIT_BAD_INPUT, EXIT_DONE, EXIT_FAILED, BadInput, JobFolder

Stop = Callable[[], bool]


def run(work: Callable[[JobFolder, Stop], None], *, about: str, arguments: Sequence[str] | None = None) -> int:
    """Run `work` on the job folder named on the command line; returns the exit status of the contract.

    SIGTERM and SIGINT only make `stop()` true: the work ends at its next safe point and keeps what it has done.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("folder", type=Path, help="job folder, laid out as learning/contract.py says")
    folder = JobFolder(parser.parse_args(arguments).folder.resolve())
    asked: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    try:
        folder.start()
        work(folder, lambda: bool(asked))
    except BadInput as error:
        log(str(error))
        folder.write_failure(str(error))
        return EXIT_BAD_INPUT
    except Exception as error:  # noqa: BLE001 - the last frame of the process: all that is left is to say why
        traceback.print_exc()
        if folder.read_failure() is None:  # else one of several processes has already said what was at the bottom of it
            folder.write_failure(f"{type(error).__name__}: {error}")
        return EXIT_FAILED
    return EXIT_DONE


def log(message: str) -> None:
    """Write a line to the log (stderr); stdout is for the metrics."""
    print(message, file=sys.stderr, flush=True)
