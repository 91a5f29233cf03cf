"""The databases that tests share: emptied after each test that commits, and copied from one that was migrated once."""

import psycopg
import pytest
from django.db import connection

from marketplace.models import User
from tests import databases
from tests.labeling import stories


def filled() -> set[str]:
    """The tables that have a row."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        found = set()
        for name in names:
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{name}")')
            if cursor.fetchone()[0]:
                found.add(name)
    return found


@pytest.mark.django_db(transaction=True)
def test_nothing_but_what_the_migrations_made_is_left_in_an_emptied_database():
    # given rows that others refer to, rows that nobody may delete, and a table too large to be deleted row by row
    stories.a_funded_job(workers=1)
    User.objects.bulk_create(User(username=f"u{n}", email=f"u{n}@example.org", password="!" * 100) for n in range(2000))
    assert {"labeling_labelingjob", "marketplace_posting", "marketplace_user"} <= filled()
    databases.empty()
    assert filled() == set(databases.KEPT)
    # The constraints are in force again.
    with pytest.raises(Exception, match="violates foreign key"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO marketplace_workteammember (workteam_id, worker_id, created_at) VALUES (1, 1, now())"
        )


@pytest.mark.django_db
def test_a_copy_is_migrated_and_what_is_written_to_it_is_in_no_other():
    for _ in range(2):
        with databases.copied() as address, psycopg.connect(address) as copy:
            found = "SELECT to_regclass('marketplace_account') IS NOT NULL, to_regclass('only_here') IS NULL"
            assert copy.execute(found).fetchone() == (True, True)
            copy.execute("CREATE TABLE only_here (id int)")
