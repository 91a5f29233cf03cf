"""Where programs run: an interface, and the one that starts children of this process on this machine.

Knows command lines, process groups and folders; neither what a program does nor the database.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol

import psutil

PR_SET_PDEATHSIG = 1

# Every descendant inherits it, so that what a dead supervisor left running is found without a record of its pid.
MARK = "WAGGLE_JOB_FOLDER"
# The variables of our own environment that a program inherits (shell patterns). It works in its folder alone, so
# whatever else an operator keeps in the environment, above all secrets and proxies, stays out of its reach.
INHERITED = (
    *("PATH", "HOME", "LANG", "LC_*", "TZ", "TMPDIR", "PYTHON*", "VIRTUAL_ENV", "LD_LIBRARY_PATH"),
    *("CUDA*", "NVIDIA*", "NCCL*", "GLOO*", "TORCH*", "OMP_*", "MKL_*", "OPENBLAS_*"),
)
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# Idle threads sleep instead of spinning: beside a busy web server, a training with two spinning threads takes ten times
# as long.
THREADS_SLEEP = {"OMP_WAIT_POLICY": "PASSIVE"}
LOG = "log.txt"


class NotRun(Exception):
    """The program did not run, through no fault of its own: the cluster is away, or has no room for it."""


class Program(Protocol):
    """A program that was started."""

    def poll(self) -> int | None:
        """The exit status, negative for a signal, None while it runs."""

    def terminate(self) -> None:
        """Ask it to save its state and to end."""

    def kill(self) -> None:
        """End it and everything it started, at once."""


class Executor(Protocol):
    """Something that can run programs: this machine or a cluster."""

    def start(self, arguments: Sequence[str], folder: Path, *, number: int = 1, nodes: int = 1) -> Program:
        """Run `python <arguments> <folder>`; its output goes to <folder>/output/log.txt.

        `number`: how often the run has been started, this start included; two calls with the same number and folder are
        one start. `nodes`: on how many machines at once; where there is one only, the program has that one. Raises
        NotRun.
        """

    def clear(self, folder: Path) -> int:
        """End every process that still works in `folder`, and return how many there were. Raises NotRun."""

    def forget(self, folder: Path) -> None:
        """The run is over: remove what is kept for it outside of `folder`."""

    def condition(self) -> dict[str, Any] | None:
        """How the cluster is, ready for JSON; None for this machine. Raises NotRun when it does not answer."""


class LocalProgram:
    """A child process that leads a process group of its own."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path):
        self.process, self.folder = process, folder

    def poll(self) -> int | None:
        """See Program.poll. Child processes that the program left running are killed."""
        ended_before = self.process.returncode is not None
        status = self.process.poll()
        if status is not None and not ended_before:
            self._end_all()
        return status

    def terminate(self) -> None:
        """See Program.terminate. Only the program itself gets the signal: it ends its own child processes."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """See Program.kill."""
        self._end_all()
        self.process.wait()

    def _end_all(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        # Those that left the group too: processes that train together lead groups of their own.
        end_working_in(self.folder)


class LocalExecutor:
    """Child processes of this one, with a niceness and a number of threads (0: the program decides).

    A child inherits the variables that match INHERITED or `inherited` (shell patterns) and gets `environment` too.
    Without `log` its output goes where that of this process goes. With `fatal` it is killed when this process ends,
    however that ends (Linux only).
    """

    def __init__(
        self,
        *,
        niceness: int = 0,
        threads: int = 0,
        inherited: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        log: bool = True,
        fatal: bool = False,
    ):
        self.niceness, self.threads = niceness, threads
        self.log, self.fatal = log, fatal
        self.inherited = (*INHERITED, *inherited)
        self.environment = dict(environment or {})

    def start(self, arguments: Sequence[str], folder: Path, *, number: int = 1, nodes: int = 1) -> LocalProgram:
        """See Executor.start."""
        log = folder / "output" / LOG
        log.parent.mkdir(parents=True, exist_ok=True)
        command = ["nice", "-n", str(self.niceness)] if self.niceness else []
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [*command, sys.executable, *arguments, str(folder)],
                cwd=Path(__file__).resolve().parents[3],
                env=self._environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=stream if self.log else None,
                stderr=subprocess.STDOUT if self.log else None,
                start_new_session=True,
                umask=0o077,
                preexec_fn=_die_with_parent if self.fatal else None,
            )
        return LocalProgram(process, folder)

    def clear(self, folder: Path) -> int:
        """See Executor.clear. Returns once they are gone; raises TimeoutError when one cannot be killed."""
        found = end_working_in(folder)
        deadline = time.monotonic() + 10
        while any(_works_in(process, folder) for process in found):
            if time.monotonic() > deadline:
                raise TimeoutError(f"a process in {folder} does not end: {[process.pid for process in found]}")
            time.sleep(0.02)
        return len(found)

    def forget(self, folder: Path) -> None:
        """See Executor.forget: all that there is lies in the folder."""

    def condition(self) -> None:
        """See Executor.condition."""

    def _environment(self, folder: Path) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if any(fnmatchcase(name, pattern) for pattern in self.inherited)
        }
        threads = {name: str(self.threads) for name in THREAD_VARIABLES} if self.threads else {}
        return THREADS_SLEEP | inherited | threads | self.environment | {MARK: str(folder), "PYTHONUNBUFFERED": "1"}


def _die_with_parent() -> None:
    """Called in the child before its program is loaded."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_working_in(folder: Path) -> list[psutil.Process]:
    """Kill every process that works in `folder`; returns them, some of which may still be about to end."""
    found = [process for process in psutil.process_iter() if _works_in(process, folder)]
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    return found


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get(MARK) == str(folder)
    except (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError, OSError):
        # Gone, or another user's: programs are always ours.
        return False
