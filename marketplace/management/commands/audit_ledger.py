"""`manage.py audit_ledger`: proves on a live database that the ledger is whole and everybody was paid once."""

import json
import sys
from argparse import ArgumentParser

from django.core.management import BaseCommand

from marketplace.services import ledger_audit


class Command(BaseCommand):
    """Print what was read and what was found; the exit code is 1 when something is wrong."""

    help = "Check that every entry of the ledger balances, and that all work was paid, once"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The form of the report."""
        parser.add_argument("--json", action="store_true", help="print one line of JSON instead of text")

    def handle(self, *args: object, json: bool, **options: object) -> None:
        """Audit one snapshot of the database; work goes on meanwhile."""
        report = ledger_audit.audit()
        self.stdout.write(_as_json(report) if json else _as_text(report))
        if report.findings:
            sys.exit(1)


def _as_json(report: ledger_audit.Report) -> str:
    counts = {"entries": report.entries, "postings": report.postings, "pockets": report.pockets}
    return json.dumps(counts | {"findings": [finding._asdict() for finding in report.findings]})


def _as_text(report: ledger_audit.Report) -> str:
    read = f"{report.entries:,} entries, {report.postings:,} postings, {report.pockets:,} pockets read"
    if not report.findings:
        return f"{read}: the ledger is whole"
    lines = [f"{finding.check}: NO, {finding.what}" for finding in report.findings]
    return "\n".join([*lines, f"{read}: {len(lines)} findings"])
