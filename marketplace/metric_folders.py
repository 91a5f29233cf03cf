"""The folders in which processes that work together keep what they count.

Each main process (web server, queue, learner) has a folder below `metrics/` of WAGGLE_VAR, which its children inherit
by PROMETHEUS_MULTIPROC_DIR, and a lock on it for as long as one of them lives: that, and no process number, says
whether the counts are of anybody who lives, for in containers numbers repeat. Does not import prometheus-client, which
looks for that variable when it is imported first.
"""

import fcntl
import shutil
import sys
import uuid
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from marketplace import installation
from marketplace import settings_declared as declared

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
ALIVE = "alive"
_held: list[object] = []


def begin(kind: str, environment: MutableMapping[str, str]) -> None:
    """Let this process, a main one of this kind, and its children count in files from now on.

    Where the folder cannot be made the processes count each for itself.
    """
    folder = (declared.VAR.read(environment) or installation.default_var()) / "metrics"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_dead(folder)
        name = f"{kind}-{uuid.uuid4().hex[:12]}"
        new = folder / f".{name}"
        new.mkdir()
        stream = (new / ALIVE).open("w")
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        new.rename(folder / name)
    except OSError as error:
        print(f"{folder}: {error}; what the processes of {kind} count is not put together", file=sys.stderr)
        return
    # Held until the process ends, and by children that were forked.
    _held.append(stream)
    environment[VARIABLE] = str(folder / name)


def kind_of(folder: str) -> str:
    """The kind of process that counts in a folder; "" for no folder."""
    return Path(folder).name.partition("-")[0]


def living(folder: Path) -> Iterator[tuple[str, Path]]:
    """The kind and the folder of every main process that lives, of those below `folder`."""
    for path in sorted(folder.glob("[a-z]*-*")):
        if _is_held(path):
            yield path.name.partition("-")[0], path


def _forget_dead(folder: Path) -> None:
    for path in folder.glob("[a-z]*-*"):
        if not _is_held(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_held(folder: Path) -> bool:
    """Whether a process that counts in the folder lives."""
    try:
        with (folder / ALIVE).open() as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
