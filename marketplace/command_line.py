"""The command `waggle` of an installed wheel: `waggle serve`, `waggle demo`, `waggle manage COMMAND`.

`make serve` runs the same. Knows the processes of the Procfile by name and nothing of what they do.
"""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

from marketplace import installation, supervise
from marketplace import settings_declared as declared
from marketplace.settings_kinds import SettingError

DISTRIBUTION = "waggle-labeling"
USAGE = """\
usage: waggle COMMAND ...

  serve                the system: database, web, queue and learner, until Ctrl-C
  demo [OPTIONS]       a whole job with simulated workers, then a portal to explore
  manage COMMAND ...   a management command; `waggle manage help` lists them, `waggle manage doctor` checks everything
  version              the version

The data lie in {folder}; WAGGLE_VAR names another folder.
"""


def processes() -> list[str]:
    """The processes of the Procfile that the settings ask for. Raises SettingError for a wrong setting."""
    learner = ["learner"] if declared.LEARNING.read(os.environ) else []
    s3 = ["s3"] if declared.LOCAL_S3.read(os.environ) else []
    return ["database", "web", "queue", *learner, *s3]


def serve() -> int:
    """Bring the database up to date, then run the system until it is told to stop. Returns the exit code."""
    names = processes()
    # A process of its own: the supervisor may have one thread only.
    ready = subprocess.run([sys.executable, str(installation.FILES / "manage.py"), "bootstrap"], check=False)
    return ready.returncode or supervise.main(names)


def manage(arguments: list[str]) -> None:
    """Run a management command in this process. Raises SystemExit as Django does."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["waggle manage", *arguments])


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "a checkout; pyproject.toml says which version it is based on"


def main() -> int:
    """Run what the command line asks for. Returns the exit code, 1 for a setting that cannot be used."""
    try:
        return _run()
    except SettingError as error:
        print(error, file=sys.stderr)
        return 1


def _run() -> int:
    command, *rest = sys.argv[1:] or ["help"]
    if command == "serve" and not rest:
        return serve()
    if command in ("demo", "manage"):
        manage(["demo", *rest] if command == "demo" else rest)
        return 0
    if command in ("version", "--version"):
        print(_version())
        return 0
    wanted = command in ("help", "--help", "-h")
    folder = declared.VAR.read(os.environ) or installation.default_var()
    print(USAGE.format(folder=folder), end="", file=sys.stdout if wanted else sys.stderr)
    return 0 if wanted else 2


if __name__ == "__main__":
    sys.exit(main())
