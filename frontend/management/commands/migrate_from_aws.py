"""`manage.py migrate_from_aws --check FOLDER`: what of downloaded Ground Truth and A2I files runs here, and why not.

`--import FOLDER --account NUMBER` then takes over what does.
"""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from frontend import aws_models
from labeling.formats.aws_folder.check import FolderError, check_folder
from labeling.formats.aws_folder.things import DIFFERS, RUNS, STOPS, Thing
from labeling.models import LabelingJob
from labeling.services.migration import importing
from labeling.services.migration.plans import FAILED, Done, Plan, known
from marketplace.models import Account, Workteam

BY = "system"
MARKS = {RUNS: "ok  ", DIFFERS: "note", STOPS: "FAIL"}


class Command(BaseCommand):
    """Checks a folder, or imports it; the exit status is 1 when something will not run, or was not imported."""

    help = "Say what of a folder downloaded from SageMaker Ground Truth and Amazon A2I runs here, or import it."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do with which folder, and for which account."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--check", type=Path, metavar="FOLDER", help="say what runs here; nothing is stored")
        what.add_argument("--import", type=Path, metavar="FOLDER", dest="import_", help="import what runs here")
        parser.add_argument("--account", help="the number of the account that gets it")
        parser.add_argument("--team", help="the name of the account's team that works for flow definitions")
        parser.add_argument("--make-teams", action="store_true", help="make teams that the account lacks, empty")
        parser.add_argument(
            "--map", action="append", default=[], metavar="FROM=TO", help="data objects below FROM lie below TO here"
        )
        parser.add_argument(
            "--golds", action="append", default=[], metavar="NAME=JOB", help="labels of NAME are golds of the job JOB"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """See the help."""
        folder = options["check"] or options["import_"]
        try:
            things = check_folder(folder, known())
        except (FolderError, OSError) as error:
            raise CommandError(str(error)) from None
        if options["check"]:
            self._told(things, as_json=options["json"])
            failed = any(one.verdict == STOPS for one in things)
        else:
            plan = _plan(options, things)
            done = list(self._taken_in(things, plan, as_json=options["json"]))
            failed = any(one.outcome == FAILED for one in done)
        if failed:
            sys.exit(1)

    def _told(self, things: list[Thing], *, as_json: bool) -> None:
        if as_json:
            rows = [one.row() for one in things]
            self.stdout.write(
                json.dumps({"things": rows, "runs": not any(t.verdict == STOPS for t in things)}, indent=2)
            )
            return
        for one in things:
            self.stdout.write(f"{MARKS[one.verdict]}  {one.kind} {one.name} ({one.path}): {one.verdict}")
            for finding in one.findings:
                self.stdout.write(f"        {MARKS[finding.level]}  {finding}")
        counts = {verdict: sum(one.verdict == verdict for one in things) for verdict in MARKS}
        self.stdout.write(
            f"{counts[RUNS]} as they are, {counts[DIFFERS]} with the differences noted, {counts[STOPS]} will not run"
        )

    def _taken_in(self, things: list[Thing], plan: Plan, *, as_json: bool) -> list[Done]:
        done = []
        for work in (importing.take_in(things, plan), aws_models.take_in(things, plan)):
            for one in work:
                done.append(one)
                if not as_json:
                    more = f": {one.message}" if one.message else ""
                    self.stdout.write(f"{one.outcome:<13}  {one.kind} {one.name}{more}")
        if as_json:
            self.stdout.write(json.dumps({"done": [one.row() for one in done]}, indent=2))
        return done


def _plan(options: dict[str, Any], things: list[Thing]) -> Plan:
    """The plan that the options describe. Raises CommandError for what the installation does not have."""
    if not options["account"]:
        raise CommandError("--account is missing: the number of the account that gets what is imported")
    account = Account.objects.filter(number=options["account"]).first()
    if account is None:
        raise CommandError(f"--account: there is no account {options['account']}")
    team = None
    if options["team"]:
        team = Workteam.objects.filter(account=account, name=options["team"]).first()
        if team is None:
            raise CommandError(f"--team: the account has no team {options['team']}")
    golds = {}
    for name, job_name in _pairs(options["golds"], "--golds"):
        if not any(one.name == name and one.data.get("labels") for one in things):
            raise CommandError(f"--golds: the folder has no labels of {name}")
        job = LabelingJob.objects.select_related("queue").filter(account=account, name=job_name).first()
        if job is None:
            raise CommandError(f"--golds: the account has no labeling job {job_name}")
        golds[name] = job
    return Plan(
        account=account,
        by=BY,
        maps=_pairs(options["map"], "--map"),
        golds=golds,
        team=team,
        make_teams=options["make_teams"],
    )


def _pairs(given: list[str], option: str) -> list[tuple[str, str]]:
    pairs = []
    for text in given:
        left, equals, right = text.partition("=")
        if not (left and equals and right):
            raise CommandError(f"{option}: {text!r} found, a pair with = between expected")
        pairs.append((left, right))
    return pairs
