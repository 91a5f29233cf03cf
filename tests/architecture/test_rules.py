"""The rules of the architecture that an import linter cannot check; one test for each."""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
import tomllib
from functools import cache

import pytest
from django.apps import apps
from django.core.management import call_command

from tests.architecture.test_lengths import ROOT, sources

PURITY = """
import importlib, pkgutil, sys
import django
django.setup()
import marketplace.wsgi
from django.urls import get_resolver
get_resolver().url_patterns
for room in ("marketplace", "labeling", "learning", "frontend"):
    for background in (f"{room}.background",):
        try:
            importlib.import_module(background)
        except ModuleNotFoundError as error:
            if error.name != background:
                raise
    package = importlib.import_module(f"{room}.management.commands") if importlib.util.find_spec(
        f"{room}.management") else None
    for module in pkgutil.iter_modules(package.__path__) if package else ():
        importlib.import_module(f"{room}.management.commands.{module.name}")
heavy = {"torch", "torchvision", "openvino", "onnxruntime", "stripe", "optuna"}
loaded = sorted({name.split(".")[0] for name in sys.modules} & heavy)
print("LOADED", loaded)
"""


def test_the_import_contracts_are_kept():
    run = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_module_of_the_frontend_is_under_an_import_rule():
    """A new one would else be a way around the rule that pages and REST do not import each other."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    ruled = {name for contract in contracts for name in contract.get("source_modules", ())}
    found = {
        f"frontend.{path.stem}"
        for path in (ROOT / "frontend").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
    }
    assert found - ruled == {"frontend.apps", "frontend.management", "frontend.urls"}


def test_the_web_process_loads_neither_torch_nor_what_is_not_set_up():
    run = subprocess.run(
        [sys.executable, "-c", "import importlib.util\n" + PURITY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "marketplace.settings"},
    )
    assert run.returncode == 0, run.stderr
    assert "LOADED []" in run.stdout, run.stdout


def rooms(*suffixes: str):
    """(path from the root, text) of every source file of the four rooms."""
    for path in sources(*suffixes):
        relative = path.relative_to(ROOT)
        if relative.parts[0] in ("marketplace", "labeling", "learning", "frontend"):
            yield str(relative), path.read_text()


def test_only_the_frontend_knows_requests_and_pages():
    pattern = re.compile(r"^\s*(from|import) django\.(http|shortcuts|forms|template|views|contrib\.messages)\b", re.M)
    assert not [path for path, text in rooms(".py") if not path.startswith("frontend/") and pattern.search(text)]


def test_views_open_no_transaction():
    """What has to happen together is known to a service; another front end would have to know it again."""
    offenders = [
        path
        for path, text in rooms(".py")
        if path.startswith("frontend/")
        and "/demo/" not in path
        and re.search(r"^from django.db import .*transaction", text, re.M)
    ]
    assert not offenders, f"let the service do it: {offenders}"


def test_rows_are_scoped_to_accounts_by_services():
    """Pages and REST ask the scope services; a filter by account in a view is a rule written down a second time."""
    pattern = re.compile(r"\.objects\.\w+\([^)]*[(, ]account(_id|__number)?=")
    offenders = [
        str(path.relative_to(ROOT))
        for path in sources(".py")
        if path.relative_to(ROOT).parts[0] == "frontend" and pattern.search(path.read_text())
    ]
    assert not offenders, f"use the scope services: {offenders}"


ELIGIBILITY = r"(?:WorkerGroup|GroupMember|Audience|AudienceGroup|Block)"


def test_eligibility_is_written_by_one_service_and_read_by_one_sql_function():
    """A second reader of these tables would be a second answer to the question who may see which work."""
    orm = re.compile(rf"\b{ELIGIBILITY}\.objects\b|\b{ELIGIBILITY}\(")
    sql = re.compile(r"marketplace_(workergroup|groupmember|audience|audiencegroup|block)\b")
    found = {path for path, text in rooms(".py") if orm.search(text) and "class Block(nn.Module)" not in text}
    assert found - {"marketplace/models/workforce.py"} == {"marketplace/services/eligibility.py"}
    readers = {path for path, text in rooms(".py", ".sql") if sql.search(text)}
    assert readers == {f"marketplace/sql/eligibility{number}.sql" for number in ("", "_0018")}


def test_no_lock_outlives_its_transaction():
    """Session-level advisory locks break behind PgBouncer, and block a queue worker while they wait."""
    session = re.compile(r"pg_(try_)?advisory_(lock|unlock)")
    waits = re.compile(r"pg_advisory_xact_lock\b")
    assert not [path for path, text in rooms(".py", ".sql") if session.search(text)]
    # These wait for a statement of another transaction, never for a job that is being advanced.
    assert {path for path, text in rooms(".py", ".sql") if waits.search(text)} == {
        "labeling/sql/claim.sql",
        "labeling/services/conduct/noting.py",
        "labeling/services/queue/advance_requests.py",
        "labeling/services/queue/locking.py",
        "learning/services/tuning/studies.py",
        "marketplace/services/payments/stripe_provider.py",
    }


OBJECTS_SHOWN = ("labeling/services/queue/visibility.py",)
"""Whether a worker may see the image of a data object is asked by its key."""


def test_the_work_queue_knows_no_labeling_job():
    """Flow definitions and HIT types own queues too: what only a labeling job knows is asked of the queue's owner."""
    named = {
        f"{path}: {node.id}"
        for path, text in rooms(".py")
        if path.startswith("labeling/services/queue/")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Name) and node.id in ("LabelingJob", "DataObject") and path not in OBJECTS_SHOWN
    }
    assert not named
    assert not [path for path, text in rooms(".sql") if "labeling_labelingjob" in text]


def test_no_program_reads_the_texts_of_the_ledger():
    """Entries have a kind and a subject; a look-up by reference or description is a rule hidden in a text."""
    pattern = re.compile(
        r"(reference|description)__(\w+)=|\.reference\.(startswith|split|removeprefix)|re\.\w+\([^)]*\.reference"
    )
    found = {path for path, text in rooms(".py") if pattern.search(text)}
    assert found == {"marketplace/services/ledger.py"}, "ask for the kind and the subject"


QUEUE_PATH = re.compile(r"""["']((?:marketplace|labeling|learning|frontend)\.[a-z_.]*background[a-z_.]*)["']""")


def test_every_queued_path_names_a_function():
    paths = {match for path in sources(".py") for match in QUEUE_PATH.findall(path.read_text())}
    functions = [p for p in paths if not p.endswith(".background")]
    assert functions
    for dotted in functions:
        module, _, name = dotted.rpartition(".")
        assert callable(getattr(importlib.import_module(module), name)), dotted


MESSAGES = {
    "labeling.background.advance_job": 1,
    "labeling.background.advance_queue": 1,
    "labeling.background.advance_dataset": 1,
    "labeling.background.advance_import": 1,
    "labeling.background.refresh_output": 1,
    "labeling.background.run_export": 1,
    "labeling.background.tell_of_work": 2,
    "labeling.background.tell_of_public_work": 2,
    "labeling.background.tell_of_price": 2,
    "labeling.background.run_functions": 1,
    "labeling.background.advance_topics": 1,
    "labeling.background.check_conduct": 1,
    "labeling.background.check_collusion": 1,
    "marketplace.background.step_stripe_payout": 1,
    "labeling.background.sweep": 0,
    "learning.background.advance_loop": 1,
    "learning.background.advance_loop_of_job": 1,
    "learning.background.advance_loop_of_batch": 1,
    "learning.background.advance_loop_of_run": 2,
    "learning.background.advance_endpoint": 1,
    "learning.background.look_at_endpoint": 2,
    "learning.background.advance_endpoint_of_replica": 1,
    "learning.background.start_review": 1,
    "learning.background.follow_review_loop": 1,
    "learning.background.follow_human_loop": 1,
    "learning.background.advance_tuning": 1,
    "learning.background.advance_tuning_of_run": 1,
    "learning.background.delete_files": 1,
    "learning.background.forget_study": 1,
    "learning.background.sweep": 0,
    "marketplace.background.sweep": 0,
    "marketplace.background.delete_stored": 1,
    "marketplace.background.deliver_webhook": 1,
    "marketplace.background.deliver_event": 1,
    "frontend.background.mail_invitation": 1,
    "frontend.background.mail_password_link": 1,
    "frontend.background.mail_notices": 1,
    "frontend.background.mail_sign_up": 1,
    "learning.background.advance_improvement": 1,
    "learning.background.advance_improvement_of_loop": 1,
    "learning.background.advance_improvements_of_account": 1,
}
"""Every message that a version of Waggle has sent, with the number of its arguments; entries are never removed."""


def test_messages_of_earlier_versions_still_arrive():
    """A message may wait in the queue while Waggle is upgraded."""
    for dotted, count in MESSAGES.items():
        module, _, name = dotted.rpartition(".")
        inspect.signature(getattr(importlib.import_module(module), name)).bind(*range(count))
    sent = {match for path, text in rooms(".py") for match in QUEUE_PATH.findall(text)}
    assert {path for path in sent if not path.endswith(".background")} <= set(MESSAGES), "add the new message"


def test_boto3_and_django_q_are_imported_in_one_place_each():
    allowed = {"boto3": {"marketplace/storage.py", "marketplace/aws_messages.py"}, "django_q": {"marketplace/queue.py"}}
    offenders = []
    for path in sources(".py"):
        relative = str(path.relative_to(ROOT))
        if relative.startswith(("tests/", "benchmarks/", "examples/")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.split(".")[0]
                if top in allowed and relative not in allowed[top]:
                    offenders.append(f"{relative}: {name}")
    assert not offenders


STARTERS = ("frontend/server/__main__.py", "marketplace/supervise.py", "marketplace/command_line.py")
CHILDREN = (
    "learning/services/programs/executor.py", "labeling/services/functions/asking.py", "frontend/demo/stack.py",
    "marketplace/services/backups/postgres.py", "marketplace/local_s3.py",
)  # fmt: skip
ENVIRONMENT_READERS = {
    "marketplace/settings.py": "reads the declared settings",
    **dict.fromkeys(("marketplace/wsgi.py", "marketplace/asgi.py"), "names the settings module"),
    **dict.fromkeys(CHILDREN, "makes the environment of a child"),
    **dict.fromkeys(STARTERS, "starts the processes that load the settings, without loading them itself"),
    **{f"learning/nodes/{name}.py": "runs where there are no settings" for name in ("desk", "gang", "run", "serve")},
    "learning/vision/__init__.py": "sets a variable for OpenMP before torch is loaded",
    "learning/vision/distributed.py": "reads which of several processes torchrun says it is",
}


def test_nothing_but_the_settings_reads_the_environment():
    found = set()
    for path in sources(".py"):
        relative = str(path.relative_to(ROOT))
        if relative.split("/")[0] in ("marketplace", "labeling", "learning", "frontend"):
            reads = [
                node
                for node in ast.walk(ast.parse(path.read_text()))
                if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"))
                and isinstance(node.value, ast.Name)
                and node.value.id == "os"
                or (isinstance(node, ast.ImportFrom) and node.module == "os")
                and {"environ", "environb", "getenv"} & {alias.name for alias in node.names}
            ]
            found |= {relative} if reads else set()
    assert found == set(ENVIRONMENT_READERS), "declare a setting in marketplace/settings_declared.py instead"


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_migrations_have_descriptive_names():
    rooms = [config for config in apps.get_app_configs() if config.name in ("marketplace", "labeling", "learning")]
    names = [p.stem for config in rooms for p in (ROOT / config.name / "migrations").glob("0*.py")]
    assert names
    assert not [n for n in names if "auto" in n or n.endswith("initial")]


def test_statuses_are_those_of_the_sagemaker_api():
    import boto3

    from labeling import transitions as labeling
    from learning import transitions as learning

    model = boto3.client("sagemaker", region_name="us-east-1").meta.service_model
    for machine, shape in (
        (labeling.LABELING_JOB, "LabelingJobStatus"),
        (learning.TRAINING_JOB, "TrainingJobStatus"),
        (learning.TRANSFORM_JOB, "TransformJobStatus"),
        (learning.ENDPOINT, "EndpointStatus"),
        (learning.TUNING_JOB, "HyperParameterTuningJobStatus"),
    ):
        assert set(machine.states) <= set(model.shape_for(shape).enum), shape


SECRETS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}",
    "an AWS access key": r"\b(?:AKIA|ASIA)(?!IOSFODNN7EXAMPLE)[A-Z0-9]{16}\b",
    "a token of Waggle": r"\bwgl_[A-Za-z0-9_-]{20,}",
    "a token of GitHub, GitLab, Slack, PyPI or npm": r"\b(?:gh[opsur]_|github_pat_|glpat-|xox[abpr]-|pypi-|npm_)"
    r"[\w-]{20,}",
    "a password in an address": r"\b(?:postgres(?:ql)?|redis|https?|amqp)://[\w.-]+:(?!(?i:password)\b)"
    r"[^\s:@/\"'<{$]{8,}@",
    "a secret by its name": r"(?i)\b\w*(?:password|passwd|secret|token|api_?key)\w*[\"']?\s*[:=]\s*"
    r"[\"'](?!WAGGLE_)(?=[^\"']*\d)(?=[^\"']*[A-Za-z])[A-Za-z0-9+/=_]{24,}[\"']",
}
"""What a secret looks like; names and words that tests and documents use as examples are left out."""
MACHINE_PATH = re.compile(r"(^|[\s\"'(=])/(work|home|root|Users)/[A-Za-z]")


@cache
def committed() -> list[tuple[str, str]]:
    """(name, text) of every committed text file but the lock file of npm, whose hashes look like secrets."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    read = [(name, (ROOT / name).read_bytes()) for name in names if not name.endswith("package-lock.json")]
    found = [(name, data.decode(errors="replace")) for name, data in read if b"\0" not in data]
    assert len(found) > 300
    return found


@pytest.mark.parametrize("kind", SECRETS)
def test_no_secret_is_committed(kind):
    pattern = re.compile(SECRETS[kind])
    assert not [name for name, text in committed() if pattern.search(text)]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("a private key", "-----BEGIN RSA PRIVATE" + " KEY-----\n" + "MIIEpAIBAAKCAQEA1234\n"),
        ("an AWS access key", "AKIA" + "QWERTYUIOP123456"),
        ("a token of Waggle", "wgl_" + "a1" * 20),
        ("a token of GitHub, GitLab, Slack, PyPI or npm", "ghp_" + "a1" * 18),
        ("a password in an address", "postgres://waggle:" + "hunter2hunter2" + "@db.example.org/waggle"),
        ("a secret by its name", "SECRET_KEY = " + '"' + "0a1B" * 12 + '"'),
    ],
)
def test_each_kind_of_secret_is_recognised(kind, text):
    assert re.search(SECRETS[kind], text)


def test_no_path_of_a_machine_is_committed():
    readable = (".py", ".md", ".toml", ".ts", ".html", ".yaml", ".yml", ".json", ".txt", ".sql", ".css", ".sh")
    assert not [
        name
        for name, text in committed()
        if name.endswith(readable) and "docker" not in name.split("/") and MACHINE_PATH.search(text)
    ]


# Everything else asks these; each decodes while it has its turn.
DECODERS = {
    "labeling/services/intake/decoding.py": "decides whose turn it is",
    "labeling/services/intake/images.py": "makes small copies",
}


def test_the_portals_processes_decode_images_in_turns_only():
    calls = re.compile(r"\b(?:images|formats)\.(?:inspect|normalise|display_cop\w+|decode)\(|\bImage\.open\(")
    portal = ("frontend/", "labeling/services/", "learning/services/", "marketplace/")
    found = {str(path.relative_to(ROOT)) for path in sources(".py") if calls.search(path.read_text())}
    assert {path for path in found if path.startswith(portal)} == DECODERS.keys()


# Without the mark a request with more than 10 MiB is refused.
SMALL_FILES = {
    "frontend/operator/payouts.py": "a bank's file has 2 MB at most",
    "frontend/requester/endpoints.py": "an endpoint takes 6 MiB at most",
    "frontend/requester/job_examples.py": "is called by a view of job_new.py that is marked",
}


def test_views_that_take_files_are_marked():
    readers = {str(path.relative_to(ROOT)) for path in sources(".py") if "request.FILES" in path.read_text()}
    marked = {name for name in readers if "@takes_files" in (ROOT / name).read_text()}
    assert {name for name in readers - marked if name.startswith("frontend/")} == SMALL_FILES.keys()
