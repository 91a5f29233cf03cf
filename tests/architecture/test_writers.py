"""Who writes what: statuses by the state machine, states by the services that keep them, money by the ledger."""

import pytest

from tests.architecture import writers
from tests.architecture.test_lengths import ROOT, sources

ROOMS = ("marketplace", "labeling", "learning", "frontend")
MONEY = frozenset({"Posting", "Entry"})
LEDGER = {"marketplace/services/ledger.py"}

STATE_WRITERS = {
    "frontend/identity/saml_views.py": "what a SAML sign-in of django-allauth remembers, which is no row",
    "labeling/services/golds/keeping.py": "golds that a member corrects, confirms or withdraws",
    "labeling/services/golds/scoring.py": "golds whose answers say that they are wrong or known",
    "labeling/services/jobs/batches.py": "objects of a batch that opens",
    "labeling/services/jobs/finishing.py": "objects of a job that ends",
    "labeling/services/queue/due.py": "tasks that have their answers",
    "labeling/services/queue/leases.py": "seats whose lease ends, and tasks nobody is left for",
    "labeling/services/queue/routing.py": "seats that a routing rule takes back",
    "labeling/services/queue/rejected_seats.py": "seats whose answer was rejected, and their tasks",
    "labeling/services/results/appeals.py": "appeals, and reviews that they turn",
    "labeling/services/results/deciding.py": "reviews that are decided",
    "labeling/services/results/reviewing.py": "objects whose only answer was rejected",
    "labeling/services/results/consolidating.py": "objects that were labeled by people, or cannot be",
    "labeling/services/results/labels.py": "objects that get a label, or cannot have it",
    "labeling/services/conduct/acting.py": "findings that were dealt with or taken back",
    "labeling/services/conduct/appeals.py": "appeals against findings",
    "labeling/sql/claim.sql": "seats that are taken",
    "labeling/sql/claim_0022.sql": "seats that are taken, later",
    "labeling/sql/claim_0037.sql": "seats that are taken, with golds mixed in and the price that was shown",
    "labeling/sql/claim_0060.sql": "seats that are taken, some at the price of checking",
    "labeling/sql/submit.sql": "seats that are answered",
    "labeling/sql/submit_0021.sql": "seats that are answered, later",
    "labeling/sql/submit_0037.sql": "seats that are answered, at the price of the moment",
    "labeling/sql/submit_0060.sql": "seats that are answered, some at the price of checking",
}
"""The files that change a `state`, which tasks, assignments and data objects have instead of a status."""

UNNAMED = {
    "marketplace/states.py": "the state machine itself",
    "labeling/services/intake/progress.py": "counts of lines and objects",
    "marketplace/services/payments/stripe_payouts.py": "the ids that Stripe gave to the parts of a payout",
    "marketplace/services/panels.py": "the fields of a panel that can be changed",
    "learning/services/programs/running.py": "the columns that a kind of program declares",
}
"""The files that write columns of rows by names that stand elsewhere."""


def texts(*suffixes: str) -> dict[str, str]:
    """The text of every source file of the four rooms, by its path from the root."""
    return {
        str(path.relative_to(ROOT)): path.read_text()
        for path in sources(*suffixes)
        if path.relative_to(ROOT).parts[0] in ROOMS
    }


def writing(field: str) -> dict[str, list[tuple[int, str]]]:
    """The files that change `field` of rows, with the lines and the ways."""
    found = {path: list(writers.field_writes(text, field)) for path, text in texts(".py").items()}
    found |= {path: [(0, one) for one in writers.sql_writes(text, field)] for path, text in texts(".sql").items()}
    return {path: places for path, places in found.items() if places}


def test_only_the_state_machine_changes_a_status():
    found = {path: places for path, places in writing("status").items() if path != "marketplace/states.py"}
    assert not found, f"use transitions.X.advance(): {found}"


def test_states_are_changed_by_the_services_that_keep_them():
    found = writing("state")
    assert set(found) == set(STATE_WRITERS), found


def test_columns_are_named_where_they_are_written():
    """A rule about who writes a column sees no column whose name is in a variable."""
    found = {path for path, text in texts(".py").items() for _ in writers.unnamed_writes(text)}
    pure = {path for path in found if path.startswith(("labeling/consolidation/", "learning/vision/"))}
    assert found - pure == set(UNNAMED)


def test_only_the_ledger_service_writes_entries_and_postings():
    found = {path: list(writers.row_writes(text, MONEY)) for path, text in texts(".py").items()}
    found |= {path: [(0, one) for one in writers.table_writes(text, MONEY)] for path, text in texts(".sql").items()}
    assert {path for path, places in found.items() if places} == LEDGER, found


@pytest.mark.parametrize(
    "broken",
    [
        "job.status = 'Failed'",
        "job.queue.status = other.status = 'Failed'",
        "first, job.status = 1, 2",
        "job.status += 'x'",
        "job.status: str = 'Failed'",
        "for job.status in ('Failed',): pass",
        "with a as job.status: pass",
        "setattr(job, 'status', 'Failed')",
        "object.__setattr__(job, 'status', 'Failed')",
        "LabelingJob.objects.filter(pk=1).update(attention='', status='Failed')",
        "LabelingJob.objects.bulk_update(rows, ['attention', 'status'])",
        "LabelingJob.objects.bulk_update(rows, fields=('status',))",
        "LabelingJob.objects.bulk_create(rows, update_conflicts=True, update_fields=['status'])",
        "LabelingJob.objects.update_or_create(pk=1, defaults={'status': 'Failed'})",
        "job.save(update_fields=['status'])",
        "cursor.execute('UPDATE labeling_labelingjob SET attention = %s, status = %s WHERE id = 1')",
        "cursor.execute(f'''update labeling_labelingjob j\n set status='Failed' from {other}''')",
    ],
)
def test_every_way_to_change_a_status_is_found(broken):
    assert list(writers.field_writes(broken, "status"))


@pytest.mark.parametrize(
    "harmless",
    [
        "if job.status == 'Failed': pass",
        "Export.objects.create(job=job, status='InProgress')",
        "LabelingJob.objects.filter(status='Failed').update(attention='')",
        "cursor.execute('UPDATE labeling_task SET seats = 1 WHERE status = %s')",
        "values.update({'a': 1})",
    ],
)
def test_reading_a_status_is_not_found(harmless):
    assert not list(writers.field_writes(harmless, "status"))


@pytest.mark.parametrize(
    "broken", ["setattr(job, name, 'Failed')", "LabelingJob.objects.filter(pk=1).update(**changes)"]
)
def test_columns_in_variables_are_found(broken):
    assert list(writers.unnamed_writes(broken))


@pytest.mark.parametrize(
    "broken",
    [
        "Posting(entry=entry, amount_micros=5).save()",
        "Posting.objects.create(amount_micros=5)",
        "Posting.objects.using('other').bulk_create(rows)",
        "Posting.objects.filter(pk=1).update(amount_micros=5)",
        "Posting._default_manager.all().delete()",
        "entry.postings.create(amount_micros=5)",
        "entry.posting_set.update(amount_micros=5)",
        "Entry.objects.get_or_create(kind='deposit')",
        "cursor.execute('INSERT INTO marketplace_posting (amount_micros) VALUES (5)')",
        "cursor.execute('update  \"marketplace_posting\" SET amount_micros = 5')",
        "cursor.execute('DELETE FROM marketplace_entry')",
    ],
)
def test_every_way_to_write_money_is_found(broken):
    assert list(writers.row_writes(broken, MONEY))


@pytest.mark.parametrize(
    "harmless", ["Posting.objects.filter(pk=1).aggregate(Sum('amount_micros'))", "'SELECT * FROM marketplace_posting'"]
)
def test_reading_money_is_not_found(harmless):
    assert not list(writers.row_writes(harmless, MONEY))
