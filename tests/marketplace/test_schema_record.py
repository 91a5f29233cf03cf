"""A database whose functions are not those of its migrations: doctor names them, bootstrap defines them again."""

import pytest
from django.core.management import call_command
from django.db import connection

from marketplace import schema_record
from marketplace.management.commands import doctor
from marketplace.management.commands.bootstrap import installed_rooms

OLDER_BODY = """
CREATE OR REPLACE FUNCTION labeling_queue_lock(the_queue bigint) RETURNS void LANGUAGE sql AS
$$ SELECT pg_advisory_xact_lock(the_queue) $$
"""
OTHER_RESULT = """
DROP FUNCTION labeling_queue_lock(bigint);
CREATE FUNCTION labeling_queue_lock(the_job bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$
"""
EARLIER_ARGUMENTS = """
CREATE FUNCTION labeling_claim(the_worker bigint, the_job bigint, at timestamptz, most_leases integer)
RETURNS bigint LANGUAGE sql AS $$ SELECT 1::bigint $$
"""


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (OLDER_BODY, "labeling_queue_lock(the_queue bigint): another version"),
        (OTHER_RESULT, "labeling_queue_lock(the_job bigint): left over"),
        (EARLIER_ARGUMENTS, "most_leases integer): left over"),
        ("DROP FUNCTION labeling_queue_lock", "labeling_queue_lock(the_queue bigint): missing"),
        (
            "DROP TRIGGER ledger_entry_append_only ON marketplace_entry",
            "ledger_entry_append_only ON marketplace_entry: missing",
        ),
        (
            "ALTER TABLE marketplace_posting DISABLE TRIGGER ledger_posting_append_only",
            "ledger_posting_append_only ON marketplace_posting: another version",
        ),
    ],
)
def test_what_differs_is_named_and_bootstrap_mends_it(change, named):
    assert doctor.functions().works
    run(change)
    found = doctor.functions()
    assert not found.works and named in found.detail and "bootstrap" in found.remedy
    call_command("bootstrap", verbosity=0)
    assert doctor.functions().works
    assert schema_record.mend(connection, installed_rooms()) == []


@pytest.mark.django_db
def test_functions_of_the_operators_own_are_left_alone():
    run("CREATE FUNCTION labeling_report() RETURNS bigint LANGUAGE sql AS $$ SELECT 1::bigint $$")
    assert doctor.functions().works
    call_command("bootstrap", verbosity=0)
    run("SELECT labeling_report()")
