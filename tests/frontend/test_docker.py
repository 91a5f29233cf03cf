"""The files of the container images: they pass their linters, agree with each other, and the entrypoint works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
SECRETS = {"WAGGLE_SECRET_KEY": "k" * 50, "POSTGRES_PASSWORD": "p", "WAGGLE_S3_SECRET_ACCESS_KEY": "s"}


def test_the_dockerfile_passes_its_linter():
    hadolint = Path(sys.executable).parent / "hadolint"
    run = subprocess.run([hadolint, ROOT / "docker" / "Dockerfile"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_compose_is_valid():
    probe = subprocess.run(["docker", "compose", "version"], capture_output=True) if shutil.which("docker") else None
    if probe is None or probe.returncode != 0:
        pytest.skip("docker compose is not on this machine")
    run = subprocess.run(
        ["docker", "compose", "-f", ROOT / "docker" / "compose.yaml", "config", "--quiet"],
        capture_output=True,
        text=True,
        env={**os.environ, **SECRETS},
    )
    assert run.returncode == 0, run.stderr


def test_compose_follows_the_specification(tmp_path):
    """Checks the schema, as `docker compose config` does first, on machines without Docker."""
    compose = ROOT / "docker" / "compose.yaml"
    broken = tmp_path / "compose.yaml"
    broken.write_text(compose.read_text().replace("healthcheck:", "healthchecks:"))
    checker = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    for path, valid in ((compose, True), (broken, False)):
        run = subprocess.run([*checker, path], capture_output=True, text=True)
        assert (run.returncode == 0) is valid, run.stdout


def test_the_file_for_several_machines_changes_services_that_exist():
    class Loader(yaml.SafeLoader):
        """Reads Compose's own tag for a list that replaces the one below it."""

    Loader.add_constructor("!reset", lambda loader, node: loader.construct_sequence(node))
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]
    several = yaml.load((ROOT / "docker" / "several.yaml").read_text(), Loader=Loader)
    new = {name for name, service in several["services"].items() if {"image", "build"} & set(service)}
    assert set(several["services"]) - new <= set(services) and not new & set(services)
    for name in ("web", "queue", "learner"):
        environment = several["services"][name]["environment"]
        assert environment["WAGGLE_PGBOUNCER"] == "yes" and "@pool:6432/" in environment["WAGGLE_DATABASE_URL"]
    assert "pool_mode = transaction" in several["configs"]["pool"]["content"]


def test_every_variable_of_compose_has_a_default_or_a_message():
    """Checks the variables and references, as `docker compose config` does after the schema."""
    text = (ROOT / "docker" / "compose.yaml").read_text()
    named = re.findall(r"\$\{(\w+)([^}]*)\}", text.split("\n", 1)[1])
    assert {name for name, rest in named if rest.startswith(":?") or not rest} == set(SECRETS)
    assert all(rest.startswith((":?", ":-")) for _, rest in named)
    services = yaml.safe_load(text)["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        mounted = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert mounted <= set(yaml.safe_load(text)["volumes"])


def test_compose_uses_build_targets_and_commands_that_exist():
    compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text()
    entrypoint = (ROOT / "docker" / "entrypoint.sh").read_text()
    services = compose["services"]
    assert set(services) == {"database", "store", "web", "queue", "learner"}
    for name in ("web", "queue", "learner"):
        assert f" AS {services[name]['build']['target']}\n" in dockerfile
        assert f"\n    {services[name]['command'][0]})\n" in entrypoint
    assert all("ports" not in services[name] for name in ("database", "store"))


def test_the_web_image_has_no_torch():
    run = subprocess.run(
        [sys.executable, "docker/requirements.py", "requirements.txt", "web"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0
    assert "Django==" in run.stdout
    assert "torch" not in run.stdout


def test_the_entrypoint_gives_up_when_the_database_never_answers(tmp_path):
    run = subprocess.run(
        ["sh", "docker/entrypoint.sh", "queue"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            **SECRETS,
            "WAGGLE_DATABASE_URL": f"postgresql://nobody@/none?host={tmp_path}",
            "WAGGLE_DATABASE_TRIES": "1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )
    assert run.returncode == 1
    assert "did not answer after 1 tries" in run.stderr


@pytest.fixture
def fresh_database(django_db_blocker):
    """The address of a database without a table."""
    from django.db import connection

    with django_db_blocker.unblock():
        given, name = connection.settings_dict, f"fresh_{os.getpid()}"
        with connection.copy()._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name}")
        yield f"postgresql://{given['USER']}:{given['PASSWORD']}@/{name}?host={given['HOST']}&port={given['PORT']}"
        with connection.copy()._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("role", ["queue", pytest.param("learner", marks=pytest.mark.slow)])
def test_no_message_is_taken_before_the_database_is_migrated(role, fresh_database):
    process = subprocess.Popen(
        ["sh", "docker/entrypoint.sh", role],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "WAGGLE_DATABASE_URL": fresh_database,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting until web has migrated the database\n"
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_the_entrypoint_runs_any_management_command():
    run = subprocess.run(
        ["sh", "docker/entrypoint.sh", "database", "ping"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert run.returncode == 0, run.stderr


def test_production_refuses_to_start_without_a_secret_key():
    environment = {k: v for k, v in os.environ.items() if k != "WAGGLE_SECRET_KEY"} | {"WAGGLE_DEVELOPMENT": "no"}
    run = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, capture_output=True, text=True, env=environment
    )
    assert run.returncode != 0
    assert "WAGGLE_SECRET_KEY is not set" in run.stderr
