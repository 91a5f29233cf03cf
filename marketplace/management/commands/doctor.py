"""`manage.py doctor`: checks every dependency and says its version, whether it works, and what to do if not.

Heavy libraries are tried in a child process, so that this one, like the web, never loads torch.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import get_connection
from django.core.management import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from marketplace import schema_record, storage
from marketplace.errors import DomainError
from marketplace.services import condition, heartbeats

GIB = 2**30
NEEDED_DISK = 2 * GIB
CHILD_SECONDS = 120
BUNDLE = Path("frontend") / "static" / "dist"
# What to try in a child: name -> (distribution, a statement that only works where the library does).
LEARNER = {
    "torch": ("torch", "import torch; assert float((torch.ones(2, 2) @ torch.ones(2, 2)).sum()) == 8"),
    "torchvision": (
        "torchvision",
        "from learning.vision import native_ops; native_ops.install(); "
        "from torchvision.models.detection import ssd300_vgg16",
    ),
    "onnxruntime": ("onnxruntime", "import onnxruntime; assert onnxruntime.get_available_providers()"),
    "openvino": ("openvino", "import openvino; assert 'CPU' in openvino.Core().available_devices"),
    "faster-coco-eval": ("faster-coco-eval", "import faster_coco_eval"),
    "safetensors": ("safetensors", "import safetensors.numpy"),
}


@dataclass(frozen=True)
class Finding:
    """One line of the report. `remedy` says what to do; what is not `needed` may be absent."""

    name: str
    works: bool
    detail: str
    remedy: str = ""
    needed: bool = True


class Command(BaseCommand):
    """Print the report; the exit code is 1 when something needed does not work."""

    help = "Check every dependency and say what to do about what does not work"
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        """Run every check, whatever the others found."""
        broken = 0
        for finding in findings():
            word = "ok  " if finding.works else ("FAIL" if finding.needed else "none")
            self.stdout.write(f"{word}  {finding.name:<18} {finding.detail}")
            if not finding.works and finding.remedy:
                self.stdout.write(f"      -> {finding.remedy}")
            broken += finding.needed and not finding.works
        self.stdout.write("everything needed works" if not broken else f"{broken} needed things do not work")
        if broken:
            sys.exit(1)


def findings() -> Iterator[Finding]:
    """Every check in turn."""
    for check in (
        python,
        variables,
        secret_key,
        proxies,
        disk,
        database_server,
        migrations,
        functions,
        writing,
        store,
        queue,
        *([learner] if settings.LEARNING_INSTALLED else []),
        traces,
        own_s3,
        privacy,
        mail,
    ):
        yield check()
    yield from cluster()
    for check in (bundle, node, chromium):
        yield check()
    for package in ("Django", "djangorestframework", "django-q2", "psycopg", "boto3", "pillow", "numpy", "orjson"):
        yield installed(package)
    if settings.LEARNING_INSTALLED:
        for name, (distribution, statement) in LEARNER.items():
            yield tried(name, distribution, statement)


def python() -> Finding:
    """The interpreter."""
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), found, "install Python 3.11 or newer and run `make setup`")


def variables() -> Finding:
    """Variables that begin with WAGGLE_ and are no setting: most often misspelt names."""
    unknown = [f"{name} (did you mean {near}?)" if near else name for name, near in settings.UNKNOWN_VARIABLES.items()]
    remedy = "correct or unset them: they have no effect; docs/settings.md lists every setting"
    detail = f"unknown: {', '.join(unknown)}" if unknown else "all known"
    return Finding("WAGGLE_ variables", not unknown, detail, remedy)


def secret_key() -> Finding:
    """The key that signs sessions."""
    generated, length = settings.SECRET_KEY_GENERATED, len(settings.SECRET_KEY)
    detail = "generated under var/ (development)" if generated else f"set, {length} characters"
    remedy = "set WAGGLE_SECRET_KEY to at least 32 random characters"
    return Finding("SECRET_KEY", length >= 32, detail, remedy)


def proxies() -> Finding:
    """Whether clients' addresses can be told apart: a server that ends TLS stands before an https:// portal."""
    trusted = settings.TRUSTED_PROXIES
    remedy = "set WAGGLE_TRUSTED_PROXIES, or all clients seem to have the address of the proxy and share its limits"
    known = trusted > 0 or not settings.PUBLIC_URL.startswith("https://")
    return Finding("trusted proxies", known, str(trusted), remedy, needed=False)


def disk() -> Finding:
    """Room for uploads, the database and models."""
    place = next(folder for folder in (settings.VAR_DIR, *settings.VAR_DIR.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    remedy = f"free some space, or point WAGGLE_VAR at a larger disk; {NEEDED_DISK / GIB:.0f} GiB are the least"
    return Finding("disk space", free >= NEEDED_DISK, f"{free / GIB:.1f} GiB free at {place}", remedy)


def database_server() -> Finding:
    """Whether PostgreSQL answers, and whether its commits are durable."""
    where = "WAGGLE_DATABASE_URL" if settings.SECRET_DATABASE_URL else "embedded"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
            found, fsync = cursor.fetchone()
    except DatabaseError as error:
        remedy = "start the server that WAGGLE_DATABASE_URL names, or unset it to use the embedded one"
        return Finding("PostgreSQL", False, f"{where}: {str(error).strip().splitlines()[0]}", remedy)
    remedy = "turn fsync on: an acknowledged answer must survive a power cut"
    return Finding("PostgreSQL", fsync == "on", f"{found} ({where}), fsync {fsync}", remedy)


def writing() -> Finding:
    """Whether the database takes what is written, and has room for it."""
    return _of_part(condition.database())


def migrations() -> Finding:
    """Whether the tables are those of this version."""
    try:
        executor = MigrationExecutor(connection)
        left = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return Finding("migrations", False, str(error).strip().splitlines()[0], "see PostgreSQL above")
    detail = f"{len(left)} to apply" if left else "all applied"
    return Finding("migrations", not left, detail, "run `manage.py bootstrap`")


def functions() -> Finding:
    """Whether the functions and triggers are those that the migrations define: an edited one is never applied again."""
    rooms = [room for room in schema_record.ROOMS if room in settings.INSTALLED_APPS]
    try:
        found = schema_record.differences(connection, rooms)
    except DatabaseError as error:
        return Finding("functions", False, str(error).strip().splitlines()[0], "see PostgreSQL above")
    detail = "; ".join(map(str, found)) or "as the migrations define them"
    return Finding("functions", not found, detail, "run `manage.py bootstrap`: it defines them again")


def store() -> Finding:
    """The store: write, read back, delete."""
    found = _of_part(condition.store())
    return replace(found, detail=f"{settings.STORE_URL} {found.detail}") if found.works else found


def queue() -> Finding:
    """Whether a queue works on the messages, on whatever machine."""
    return _process(heartbeats.QUEUE)


def learner() -> Finding:
    """Whether a learner runs programs, on whatever machine."""
    return _process(heartbeats.LEARNER)


def cluster() -> Iterator[Finding]:
    """The cluster on which learners run programs, where there is one."""
    try:
        found = condition.cluster() if settings.LEARNING_INSTALLED else None
    except DatabaseError as error:
        yield Finding("cluster", False, str(error).strip().splitlines()[0], "see PostgreSQL above", needed=False)
        return
    if found is not None:
        yield _of_part(found)


def _process(kind: str) -> Finding:
    try:
        return _of_part(condition.process(kind))
    except DatabaseError as error:
        return Finding(kind, False, str(error).strip().splitlines()[0], "see PostgreSQL above", needed=False)


def _of_part(part: condition.Part) -> Finding:
    return Finding(part.name, part.state == condition.OK, part.detail, part.remedy, part.needed)


def traces() -> Finding:
    """Whether traces are sent where the environment asks for them."""
    if settings.TRACED:
        return Finding("traces", True, "sent by OpenTelemetry")
    if settings.TRACES_ASKED:
        return Finding("traces", False, "asked for by OTEL_ variables", "pip install -r requirements-otel.txt")
    return Finding("traces", False, "off", "docs/monitoring.md says how they are switched on", needed=False)


def own_s3() -> Finding:
    """Whether the S3 server of this machine, if it has one, takes its keys."""
    if not settings.LOCAL_S3:
        remedy = "set WAGGLE_LOCAL_S3=1 to reach the store by boto3 (docs/local-s3.md)"
        return Finding("local S3", False, "off", remedy, needed=False)
    try:
        storage.exists("s3://doctor/here")
    except DomainError as error:
        return Finding("local S3", False, error.message, "start it with the others: `WAGGLE_LOCAL_S3=1 make serve`")
    return Finding("local S3", True, f"{settings.S3_ENDPOINT_URL} answers")


def privacy() -> Finding:
    """Whether other users of the machine are kept from what people uploaded."""
    found = storage.open_to_others(settings.STORE_URL)
    detail = f"other users may read {found}" if found else "closed to other users"
    return Finding("store's files", not found, detail, "run `manage.py bootstrap`: it closes them")


def mail() -> Finding:
    """Whether the mail server, if there is one, takes letters."""
    if not settings.EMAIL_HOST:
        remedy = "set WAGGLE_EMAIL_HOST to send invitations and links to forgotten passwords; else people pass them on"
        return Finding("e-mail", False, "none is sent", remedy, needed=False)
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        with get_connection():
            return Finding("e-mail", True, f"{where} lets Waggle in")
    except (OSError, SMTPException) as error:
        return Finding("e-mail", False, f"{where}: {error}", "look at the WAGGLE_EMAIL_ settings")


def bundle() -> Finding:
    """The browser part, built by Vite."""
    folder = settings.BASE_DIR / BUNDLE
    files = sum(1 for path in folder.rglob("*") if path.suffix in (".js", ".css")) if folder.is_dir() else 0
    return Finding(
        "static bundle", files > 0, f"{files} files in {BUNDLE}", "run `make setup` (needs Node 20 or newer)"
    )


def node() -> Finding:
    """Node.js, needed to build the bundle only."""
    found = _output(["node", "--version"])
    recent = found.startswith("v") and int(found[1:].split(".")[0]) >= 20
    return Finding("Node.js", recent, found or "absent", "install Node 20 or newer to build the bundle", needed=False)


def chromium() -> Finding:
    """A browser, needed by the browser tests only."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    found = _output([path, "--version"]) if path else ""
    return Finding("Chromium", bool(found), found or "absent", "install it to run tests/browser", needed=False)


def installed(package: str) -> Finding:
    """A Python package this process uses itself."""
    try:
        return Finding(package, True, version(package))
    except PackageNotFoundError:
        return Finding(package, False, "absent", "run `make setup`")


def tried(name: str, distribution: str, statement: str) -> Finding:
    """A heavy library, used for a moment in a child process. A web image does without: then it is not needed here."""
    try:
        found = version(distribution)
    except PackageNotFoundError:
        remedy = "the learner needs it: pip install -r requirements.txt (a web image does without)"
        return Finding(name, False, "absent", remedy, needed=False)
    works, complaint = _child(statement)
    remedy = f"pip install --force-reinstall --no-deps {distribution}=={found}, or see docs/dependencies.md"
    return Finding(name, works, found if works else f"{found}: {complaint}", remedy)


def _child(statement: str) -> tuple[bool, str]:
    try:
        done = subprocess.run(
            [sys.executable, "-c", statement],
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=CHILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer in {CHILD_SECONDS} s"
    last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return done.returncode == 0, last


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
