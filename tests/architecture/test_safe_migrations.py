"""Migrations that came after the last release are safe while its code still runs: nothing that it uses goes away, no
column comes without a value that the database gives, and no lock is held for long. docs/upgrading.md says how to part
an unsafe change over releases, and how to allow one.
"""

import json
import re
import tarfile
from functools import cache

import pytest
from django_migration_linter import MigrationLinter
from django_migration_linter.sql_analyser import PostgresqlAnalyser, analyse_sql_statements

from marketplace import schema_record
from tests.upgrade.make import FOLDER

FEW = "the table has a row for each search, trial or configuration that somebody made: the lock is short"
WIDER = "the constraint in its place allowed less, so that what the code of the release writes meets this one, too"
ALLOWED: dict[str, dict[str, str]] = {
    "learning.0018_tuning_definitions": {"ADD_UNIQUE": f"{FEW}; {WIDER}"},
    "learning.0023_loop_looks": dict.fromkeys(("CREATE_INDEX", "CREATE_INDEX_EXCLUSIVE"), "a row for each job: short"),
    "learning.0024_endpoint_config_deleted_while_used": {
        "ADD_UNIQUE": f"{FEW}; {WIDER}",
        "CREATE_INDEX": FEW,
        "CREATE_INDEX_EXCLUSIVE": FEW,
    },
}
"""By migration ("labeling.0064_name") the codes of what the linter finds in it, each with the reason why it is safe."""

WARNINGS = ("DROP_INDEX", "REINDEX", "CREATE_INDEX", "CREATE_INDEX_EXCLUSIVE")
"""They lock a table while they run, for as long as a large one takes: as bad as an error."""


@cache
def released() -> set[str]:
    """The migrations that the newest kept release has, as "labeling.0001_name"."""
    newest = max(FOLDER.glob("waggle-*.tar.xz"), key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)])
    with tarfile.open(newest) as archive:
        (name,) = (one for one in archive.getnames() if one.endswith("/manifest.json"))
        content = archive.extractfile(name)
        assert content is not None
        migrations = json.load(content)["migrations"]
    return {f"{app}.{name}" for app, names in migrations.items() for name in names}


def codes(statements: list[str]) -> set[str]:
    """What the linter finds in the statements of one migration."""
    errors, _, warnings = analyse_sql_statements(PostgresqlAnalyser, statements)
    return {issue.code for issue in errors} | {issue.code for issue in warnings if issue.code in WARNINGS}


@pytest.mark.django_db
def test_migrations_since_the_release_are_safe_while_its_code_runs():
    linter = MigrationLinter(no_cache=True, no_output=True)
    fresh = [key for key in sorted(linter.migration_loader.disk_migrations) if key[0] in schema_record.ROOMS]
    wrong = {}
    for app, name in fresh:
        if f"{app}.{name}" not in released():
            found = codes(linter.get_sql(app, name)) - ALLOWED.get(f"{app}.{name}", {}).keys()
            if found:
                wrong[f"{app}.{name}"] = sorted(found)
    assert not wrong, "see docs/upgrading.md"


def test_what_is_allowed_is_of_migrations_that_are_not_released_and_has_a_reason():
    assert not ALLOWED.keys() & released(), "remove what the release has"
    assert all(reason.strip() for reasons in ALLOWED.values() for reason in reasons.values())


@pytest.mark.parametrize(
    ("statements", "code"),
    [
        (['ALTER TABLE "labeling_task" DROP COLUMN "seats" CASCADE'], "DROP_COLUMN"),
        (['ALTER TABLE "labeling_task" RENAME COLUMN "seats" TO "places"'], "RENAME_COLUMN"),
        (['DROP TABLE "labeling_task" CASCADE'], "DROP_TABLE"),
        (['ALTER TABLE "labeling_task" ADD COLUMN "a" integer DEFAULT 0 NOT NULL',
          'ALTER TABLE "labeling_task" ALTER COLUMN "a" DROP DEFAULT'], "NOT_NULL"),
        (['CREATE INDEX "task_by_a" ON "labeling_task" ("a")'], "CREATE_INDEX"),
        (['ALTER TABLE "labeling_task" ADD CONSTRAINT "once" UNIQUE ("a")'], "ADD_UNIQUE"),
    ],
)  # fmt: skip
def test_what_old_code_would_stumble_over_is_found(statements, code):
    assert code in codes(["BEGIN", *statements, "COMMIT"])


def test_what_old_code_does_not_notice_is_not_found():
    safe = [
        'ALTER TABLE "labeling_task" ADD COLUMN "a" integer NULL',
        'ALTER TABLE "labeling_task" ADD COLUMN "b" integer DEFAULT 0 NOT NULL',
        'CREATE TABLE "labeling_new" ("id" bigint NOT NULL)',
        'CREATE INDEX "new_by_id" ON "labeling_new" ("id")',
    ]
    assert codes(["BEGIN", *safe[:2], "COMMIT"]) == codes(["BEGIN", *safe[2:], "COMMIT"]) == set()
    assert codes(['CREATE INDEX CONCURRENTLY "task_by_a" ON "labeling_task" ("a")']) == set()
