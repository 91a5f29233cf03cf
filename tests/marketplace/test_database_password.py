"""The embedded PostgreSQL asks for a password that nobody else can read, also where an earlier version trusted all."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from marketplace import database_password, postmaster
from marketplace.database import parse_url, start_embedded, stop_embedded

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def directory(monkeypatch):
    # The password of the server that the other tests use.
    monkeypatch.delenv("PGPASSFILE", raising=False)
    with tempfile.TemporaryDirectory(prefix="waggle-embedded-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        directory = Path(name).resolve() / "postgres"
        yield directory
        stop_embedded(directory)


def password(directory: Path) -> str:
    return (directory / database_password.FILE).read_text().strip().rpartition(":")[2]


def without_a_password(directory: Path) -> None:
    psycopg.connect(host=str(directory), user="postgres", dbname="postgres").close()


def trust_everybody(directory: Path, *, forget: bool) -> None:
    """As the data folder of an earlier version is: no password is asked for."""
    rules = directory / database_password.RULES
    rules.write_text(rules.read_text().replace("scram-sha-256", "trust"))
    if forget:
        (directory / database_password.FILE).unlink()


def one(url: str, query: str = "SELECT number FROM bees") -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    assert row
    return row[0]


def test_a_password_is_asked_for_that_only_the_owner_can_read(directory):
    url = start_embedded(directory)
    assert one(url, "SELECT 1") == 1
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        without_a_password(directory)
    path = directory / database_password.FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and len(password(directory)) == 64
    assert "trust" not in [word for line in (directory / "pg_hba.conf").read_text().splitlines()
                           if not line.startswith("#") for word in line.split()]  # fmt: skip
    assert start_embedded(directory) == url
    if os.geteuid() == 0:
        assert subprocess.run(["/usr/bin/env", "cat", str(path)], user=65534, capture_output=True).returncode == 1


def test_the_password_is_in_no_url_log_command_line_or_environment(directory):
    url = start_embedded(directory)
    secret = password(directory)
    environment = {**os.environ, "WAGGLE_VAR": str(directory.parent), "WAGGLE_DATABASE_URL": "", "DATABASE_URL": ""}
    command = [sys.executable, "manage.py", "database", "start"]
    printed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert url in printed.stdout
    seen = [url, printed.stdout, printed.stderr, (directory / "log").read_text(), str(parse_url(url))]
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                seen.append((process / name).read_bytes().decode(errors="replace"))
            except OSError:
                continue
    assert not [text[:200] for text in seen if secret in text]


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("forget", [True, False])
def test_a_folder_that_trusted_everybody_gets_a_password_and_keeps_its_data(directory, running, forget):
    with psycopg.connect(start_embedded(directory), autocommit=True) as connection:
        connection.execute("CREATE TABLE bees AS SELECT 81 AS number")
        if forget:
            connection.execute("ALTER ROLE postgres PASSWORD NULL")
        trust_everybody(directory, forget=forget)
        connection.execute("SELECT pg_reload_conf()")
    if not running:
        stop_embedded(directory)
    assert one(start_embedded(directory)) == 81
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        without_a_password(directory)


def test_a_lost_password_file_is_made_anew(directory):
    with psycopg.connect(start_embedded(directory), autocommit=True) as connection:
        connection.execute("CREATE TABLE bees AS SELECT 81 AS number")
    before = password(directory)
    rules = (directory / database_password.RULES).read_text()
    (directory / database_password.FILE).unlink()
    assert one(start_embedded(directory)) == 81
    assert password(directory) != before
    assert (directory / database_password.RULES).read_text() == rules
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        without_a_password(directory)


def test_rules_of_the_operators_own_are_kept(directory):
    start_embedded(directory)
    stop_embedded(directory)
    rules = directory / database_password.RULES
    rules.write_text("# mine\nlocal backup bees peer # trust\nlocal all all trust\n")
    start_embedded(directory)
    assert rules.read_text() == "# mine\nlocal backup bees peer # trust\nlocal all all scram-sha-256\n"


def test_postgres_owns_its_files(directory):
    start_embedded(directory)
    owner = directory.stat().st_uid
    for name in (database_password.FILE, database_password.RULES, postmaster.FILE):
        assert (directory / name).stat().st_uid == owner
