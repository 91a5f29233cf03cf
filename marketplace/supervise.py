"""`python -m marketplace.supervise NAME ...`: runs the Procfile's processes, and each of them again when it dies.

A process that is killed leaves children behind, who go on serving half of its work and hold its port. So each process
has a group of its own, whose rest is killed before it is started again; and when this supervisor is killed itself, the
kernel asks every process to end. SIGHUP renews what serves and works, so that it runs the code that is there now.
Knows neither Django nor what the processes do.

With WAGGLE_LOG_FORMAT=json each line is a JSON object that names its process, also where the process wrote a bare text.
"""

import contextlib
import ctypes
import json
import os
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from marketplace import installation
from marketplace import settings_declared as declared

PROCFILE = installation.PROCFILE
INTERPRETER = ".venv/bin/python"
"""How the Procfile names Python, for those who run it by another tool; here it is the interpreter of this process."""

SETTLED_SECONDS = 10
"""What ends by itself before it ran so long for once is misconfigured: everything ends, with its exit code."""

MOST_PAUSE_SECONDS = 30
END_SECONDS = 75
"""How long processes get to end when they are asked to: the web server takes a minute for requests that have begun."""

RENEWED = {"web": signal.SIGHUP, "queue": signal.SIGTERM, "learner": signal.SIGTERM}
"""What is sent to the processes that are renewed: the web server renews its own, the others end well and are started
again. Database and object store go on: others need them meanwhile."""

GROUP_SECONDS = 5
PR_SET_PDEATHSIG = 1


@dataclass
class Program:
    """A process of the Procfile, started or about to be."""

    name: str
    command: str
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0
    settled: bool = False
    asked: bool = False
    pause: float = 0
    start_at: float = 0
    rest: bytes = field(default=b"", repr=False)


class Supervisor:
    """The processes of a Procfile, run until it is asked to end or one turns out to be misconfigured."""

    def __init__(self, commands: dict[str, str], *, as_json: bool = False):
        self.programs = [Program(name, command) for name, command in commands.items()]
        self.selector = selectors.DefaultSelector()
        self.ending = self.renewing = False
        self._as_json = as_json
        self._width = max(map(len, commands), default=0)

    def run(self) -> int:
        """Supervise; returns the exit code, 0 when it was asked to end."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        signal.signal(signal.SIGHUP, self._renew_soon)
        code = 0
        while not self.ending:
            if self.renewing:
                self._renew()
            for program in self.programs:
                if program.process is None and time.monotonic() >= program.start_at:
                    self._start(program)
                elif program.process is not None and _is_over(program.process):
                    code = self._ended(program)
                    if code:
                        self.ending = True
                        break
            self._pass_on(0.1)
        self._stop()
        return code

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.ending = True

    def _renew_soon(self, number: int, frame: FrameType | None) -> None:
        self.renewing = True

    def _renew(self) -> None:
        self.renewing = False
        for program in self.programs:
            if program.process is not None and program.name in RENEWED:
                self._say(program.name, "is renewed")
                # One that ends because it was asked to is not misconfigured, however short it ran.
                program.asked = RENEWED[program.name] == signal.SIGTERM
                with contextlib.suppress(ProcessLookupError):
                    program.process.send_signal(RENEWED[program.name])

    def _start(self, program: Program) -> None:
        program.process = subprocess.Popen(
            [sys.executable if part == INTERPRETER else part for part in shlex.split(program.command)],
            cwd=PROCFILE.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Safe, because this process has one thread only.
            preexec_fn=_end_with_parent(os.getpid()),
        )
        program.started = time.monotonic()
        assert program.process.stdout is not None
        os.set_blocking(program.process.stdout.fileno(), False)
        self.selector.register(program.process.stdout, selectors.EVENT_READ, program)
        self._say(program.name, f"started (process {program.process.pid})")

    def _ended(self, program: Program) -> int:
        """Clear away what a process left; returns its exit code if it cannot run, 0 if it is to be started again."""
        assert program.process is not None
        ran = time.monotonic() - program.started
        program.settled = program.settled or program.asked or ran >= SETTLED_SECONDS
        code = self._clear(program)
        self._say(program.name, f"ended ({_describe(code)}) after {ran:.0f} s")
        if code >= 0 and not program.settled:
            return code or 1
        program.pause = (
            0 if program.asked or ran >= SETTLED_SECONDS else min(MOST_PAUSE_SECONDS, 2 * program.pause + 0.5)
        )
        program.start_at, program.asked = time.monotonic() + program.pause, False
        return 0

    def _clear(self, program: Program) -> int:
        """Kill what is left of a process's group; returns its exit code, negative for a signal."""
        process = program.process
        assert process is not None
        _kill_group(process.pid)
        code = process.wait()
        self._pass_on(0)
        assert process.stdout is not None
        with contextlib.suppress(KeyError):
            self.selector.unregister(process.stdout)
        process.stdout.close()
        program.process = None
        return code

    def _stop(self) -> None:
        """Ask every process to end, then insist."""
        running = [program for program in self.programs if program.process is not None]
        for program in running:
            assert program.process is not None
            with contextlib.suppress(ProcessLookupError):
                program.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline and not all(_is_over(one.process) for one in running if one.process):
            self._pass_on(0.1)
        for program in running:
            self._say(program.name, f"ended ({_describe(self._clear(program))})")

    def _pass_on(self, seconds: float) -> None:
        """Print what the processes have written, by whole lines, after waiting for it so long at most."""
        if not self.selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self.selector.select(seconds):
            program: Program = key.data
            with contextlib.suppress(BlockingIOError):
                block = os.read(key.fd, 65536)
                if not block:
                    self.selector.unregister(key.fileobj)
                *lines, program.rest = (program.rest + block).split(b"\n")
                for line in lines:
                    self._say(program.name, line.decode(errors="replace"))

    def _say(self, name: str, text: str) -> None:
        print(as_json(name, text) if self._as_json else f"{name:<{self._width}} | {text}", flush=True)


def as_json(process: str, text: str) -> str:
    """A line of a process as a JSON object with the key `process`; a bare text becomes its `event`."""
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if isinstance(said, dict):
        return json.dumps({**said, "process": process}, ensure_ascii=False)
    line = {"time": datetime.now(UTC).isoformat(), "level": "info", "event": text, "process": process}
    return json.dumps(line, ensure_ascii=False)


def _end_with_parent(parent: int) -> Callable[[], object] | None:
    """What a child does before its program starts: have the kernel ask it to end when its parent dies (Linux only)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def set_up() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return set_up


def _is_over(process: "subprocess.Popen[bytes]") -> bool:
    """Whether it has ended; it stays a zombie, so that its number, and that of its group, cannot be given away yet."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_group(group: int) -> None:
    """Kill every process of a group whose leader is dead, and wait until they are gone."""
    deadline = time.monotonic() + GROUP_SECONDS
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    while _lives(group) and time.monotonic() < deadline:
        time.sleep(0.02)


def _lives(group: int) -> bool:
    """Whether a process of the group still runs; zombies hold nothing."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False


def _describe(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def commands_of(procfile: Path) -> dict[str, str]:
    """Name and command of each line of a Procfile."""
    lines = [line.partition(":") for line in procfile.read_text().splitlines() if line.strip() and line[0] != "#"]
    return {name.strip(): command.strip() for name, _, command in lines}


def main(names: list[str]) -> int:
    """Run these processes, all without names. Raises SystemExit for a name that the Procfile does not have."""
    commands = commands_of(PROCFILE)
    if unknown := [name for name in names if name not in commands]:
        raise SystemExit(f"{PROCFILE}: has no {', '.join(unknown)}; there are {', '.join(commands)}")
    form = declared.LOG_FORMAT.read(os.environ)
    return Supervisor({name: commands[name] for name in names or commands}, as_json=form == "json").run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
