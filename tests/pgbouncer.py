"""A real PgBouncer in transaction mode before the database of the tests, installed from Debian where root may."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests.object_stores import free_port, wait_for

PLACES = ("/usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer")
MISSING = "PgBouncer is not installed, and only root can: apt-get install pgbouncer"


def find() -> str | None:
    """The path of an installed PgBouncer; Debian's lies where only root's PATH leads."""
    return shutil.which("pgbouncer") or next((place for place in PLACES if os.access(place, os.X_OK)), None)


def program() -> str:
    """The path of a PgBouncer, installed now as root where there is none. Skips the test without one."""
    if find() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", "pgbouncer"]):
            done = subprocess.run(["apt-get", "-qq", *command], env=environment, check=False, capture_output=True)
            if done.returncode:
                break
    found = find()
    if found is None:
        pytest.skip(MISSING)
    return found


class PgBouncer:
    """One that runs, for all databases of a server."""

    def __init__(self, port: int, user: str, password: str):
        self.port, self.user, self.password = port, user, password

    def url(self, name: str) -> str:
        """The address of a database through it."""
        return f"postgresql://{quote(self.user)}:{quote(self.password)}@127.0.0.1:{self.port}/{name}"

    def transactions(self) -> int:
        """How many it has passed on so far."""
        with psycopg.connect(self.url("pgbouncer"), autocommit=True) as console:
            cursor = psycopg.ClientCursor(console)
            cursor.execute("SHOW STATS")
            columns = [column.name for column in cursor.description or ()]
            return sum(dict(zip(columns, row, strict=True))["total_xact_count"] for row in cursor.fetchall())


@contextmanager
def running(server: Mapping[str, Any], *, connections: int) -> Iterator[PgBouncer]:
    """Before the server of these settings (a Django DATABASES entry): so many of its connections for each database."""
    executable = program()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="waggle-pgbouncer-") as name:
        folder = Path(name)
        password = server["PASSWORD"] or _kept_password(server)
        users = folder / "users.txt"
        users.write_text(f'"{server["USER"]}" "{password}"\n')
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={server['HOST']} port={server['PORT'] or 5432}\n"
            "[pgbouncer]\nlisten_addr = 127.0.0.1\nunix_socket_dir =\n"
            f"listen_port = {port}\nauth_type = scram-sha-256\nauth_file = {users}\n"
            f"admin_users = {server['USER']}\npool_mode = transaction\n"
            f"default_pool_size = {connections}\nmax_client_conn = 500\nquery_wait_timeout = 30\n"
            "server_idle_timeout = 5\nignore_startup_parameters = extra_float_digits\n"
        )
        command = [executable, "--quiet", str(settings)]
        if os.geteuid() == 0:
            # It refuses to be root; the owner of the server's socket may use that.
            owner = pwd.getpwuid(Path(server["HOST"]).stat().st_uid).pw_name
            for path in (folder, users, settings):
                shutil.chown(path, owner)
            command += ["--user", owner]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(process, port)
            yield PgBouncer(port, server["USER"], password)
        finally:
            process.terminate()
            process.wait(30)


def _kept_password(server: Mapping[str, Any]) -> str:
    """The one in the file that the settings of an embedded server name."""
    return Path(server["OPTIONS"]["passfile"]).read_text().strip().splitlines()[-1].rsplit(":", 1)[-1]
