"""The production web server: `python -m frontend.server`. docs/settings.md says what an operator can change of it.

This process only watches over the others; it loads neither Django nor the portal.
"""

import multiprocessing
import os
import resource
import sys
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels

from frontend.server.shared_socket import Server
from marketplace import metric_folders, strict
from marketplace import settings_declared as declared
from marketplace.ranges import Range
from marketplace.settings_kinds import SettingError

STOP_SECONDS = 60
"""How long a process that is stopping may take to finish its requests."""
START_SECONDS = 10
"""How long a new process may load the portal before the one that it replaces is told to stop (SIGHUP)."""
MOST_FILES = 65_536
PORTS = Range(1, 65_535)


def listening(bind: str) -> dict[str, Any]:
    """Where to listen: `host:port`, `[IPv6]:port` or `unix:/path`. Raises SettingError for another text."""
    if bind.startswith("unix:/"):
        return {"uds": Path(bind.removeprefix("unix:")), "uds_permissions": 0o660}
    host, _, port = bind.rpartition(":")
    number = strict.whole_number(port, allowed=PORTS)
    if not host or number is None:
        raise SettingError(f"{declared.BIND.name}: {bind!r} found, host:port or unix:/path expected")
    return {"address": host.strip("[]"), "port": number}


def main() -> None:
    """Serve until the process is told to stop; requests that have begun are finished.

    SIGHUP replaces the processes that answer, one after the other, by new ones with the code that is there now: all of
    them listen to one socket, which stays open.
    """
    seconds, connections = declared.REQUEST_SECONDS.read(os.environ), declared.WEB_CONNECTIONS.read(os.environ)
    try:
        where = listening(declared.BIND.read(os.environ))
    except SettingError as error:
        sys.exit(str(error))
    # A fork would keep the modules that this process has loaded, of a version that is older after an upgrade.
    multiprocessing.set_start_method("spawn")
    _allow_files(2 * connections + 1024)
    metric_folders.begin("web", os.environ)
    level, form = declared.LOG_LEVEL.read(os.environ), declared.LOG_FORMAT.read(os.environ)
    Server(
        "frontend.server.web:build",
        factory=True,
        **where,
        interface=Interfaces.ASGINL,
        workers=declared.WEB_WORKERS.read(os.environ),
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=1000 * seconds),
        websockets=False,
        loop=Loops.asyncio,
        runtime_mode=RuntimeModes.st,
        backlog=2048,
        backpressure=connections,
        respawn_failed_workers=True,
        respawn_interval=START_SECONDS,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels(level.lower()),
        log_dictconfig=_logging(level, form),
    ).serve()


def _logging(level: str, form: str) -> dict[str, Any]:
    """The lines of the server itself look like those of the portal."""
    # It imports prometheus-client, which is to find its folder.
    from marketplace import logs

    return logs.configuration(level, form, process="web")


def _allow_files(wanted: int) -> None:
    """Raise the limit on open files: many systems allow 1,024, and each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, most), hard))


if __name__ == "__main__":
    main()
