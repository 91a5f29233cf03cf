"""The migration that makes stored addresses relative, on a database that holds whole ones."""

import pytest
from django.conf import settings

from tests.marketplace.old_database import migrate, old_database

BEFORE = [("labeling", "0012_failed_attempts"), ("learning", "0005_loop_object_split")]
AFTER = [("labeling", "0014_relative_addresses"), ("learning", "0006_relative_addresses")]
MANY = 12_000
"""More rows than one batch of the migration."""

FILL = """
SET session_replication_role = replica;  -- rows without those they refer to
INSERT INTO marketplace_account (id, name, number, created_at) VALUES (1, 'Apiary', '123456789012', now());
INSERT INTO labeling_dataobject (id, job_id, index, state, failure_reason, source_ref, upright_uri)
SELECT n, 1, n, 'Unlabeled', '', CASE WHEN n % 3 = 0 THEN 's3://bees/' ELSE 'STORE/accounts/1/' END || n || '.png',
       CASE WHEN n % 4 = 0 THEN 'STORE/accounts/1/upright/' || n ELSE '' END
FROM generate_series(1, MANY) n;
INSERT INTO labeling_objectline (data_object_id, text) VALUES
    (1, '{"source-ref": "STORE/accounts/1/1.png", "note": "STORE/"}'),
    (2, '{"source-ref":"STORE/accounts/1/2.png"}'),
    (3, '{"source-ref": "s3://bees/3.png"}');
INSERT INTO labeling_export (id, job_id, kind, which, status, failure_reason, progress, objects_done, item_errors, uri,
    created_at, created_by)
VALUES (1, 1, 'coco', 'all', 'Completed', '', 1, 1, '[]', 'STORE/accounts/1/exports/1/a.zip', now(), '');
INSERT INTO labeling_dataset (id, account_id, name, status, failure_reason, source, manifest_uri, lines_read,
    objects_total, bad_lines, progress, created_at, created_by)
VALUES (1, 1, 'a', 'Completed', '', '{"kind": "zip", "uri": "STORE/accounts/1/a.zip", "selection": {"kind": "full"}}',
        'STORE/accounts/1/datasets/1/a.manifest', 1, 1, 0, 1, now(), '');
INSERT INTO learning_model (id, account_id, name, architecture, labels, metrics, config, artifact_uri, parts_uri,
    created_at)
VALUES (1, 1, 'm', 'x', '["bee"]', '{}', '{}', 'STORE/models/1/m/model.tar.gz', 'STORE/models/1/m', now());
INSERT INTO learning_trainingjob (id, account_id, name, failure_reason, hyperparameters, channels, folder, progress,
    created_at, claimed_by, attempts, attempt_progress, status)
VALUES (1, 1, 't', '', '{}', '{"train": {"manifest_uri": "STORE/loops/1/train.manifest"}, "model": {"name": "STORE/"}}',
        'VAR/programs/training-1', 1, now(), '', 1, 0, 'Completed');
"""
ROWS = {
    "SELECT source_ref, upright_uri FROM labeling_dataobject WHERE id IN (1, 3, 4, 12000) ORDER BY id": [
        ("STORE/accounts/1/1.png", ""),
        ("s3://bees/3.png", ""),
        ("STORE/accounts/1/4.png", "STORE/accounts/1/upright/4"),
        ("s3://bees/12000.png", "STORE/accounts/1/upright/12000"),
    ],
    "SELECT text FROM labeling_objectline ORDER BY data_object_id": [
        ('{"source-ref": "STORE/accounts/1/1.png", "note": "KEPT/"}',),
        ('{"source-ref":"STORE/accounts/1/2.png"}',),
        ('{"source-ref": "s3://bees/3.png"}',),
    ],
    "SELECT uri FROM labeling_export": [("STORE/accounts/1/exports/1/a.zip",)],
    "SELECT manifest_uri, source->>'uri', source->'selection'->>'kind' FROM labeling_dataset": [
        ("STORE/accounts/1/datasets/1/a.manifest", "STORE/accounts/1/a.zip", "full")
    ],
    "SELECT artifact_uri, parts_uri FROM learning_model": [("STORE/models/1/m/model.tar.gz", "STORE/models/1/m")],
    "SELECT channels->'train'->>'manifest_uri' FROM learning_trainingjob": [("STORE/loops/1/train.manifest",)],
}


def rows(connection, begin: str) -> dict:
    """What ROWS expects, with addresses that begin so."""
    kept = settings.STORE_URL + "/"
    return {
        query: [tuple(text.replace("STORE/", begin).replace("KEPT/", kept) for text in row) for row in expected]
        for query, expected in ROWS.items()
    }


def found(connection) -> dict:
    with connection.cursor() as cursor:
        result = {}
        for query in ROWS:
            cursor.execute(query)
            result[query] = cursor.fetchall()
        return result


def untouched(connection) -> dict:
    """The row versions of objects that hold no address of the store."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, xmin::text FROM labeling_dataobject WHERE id % 3 = 0 AND id % 4 > 0")
        return dict(cursor.fetchall())


@pytest.mark.slow
def test_existing_addresses_become_relative_and_whole_again_on_the_way_back(django_db_blocker):
    filled = FILL.replace("STORE", settings.STORE_URL).replace("MANY", str(MANY))
    with django_db_blocker.unblock(), old_database(*BEFORE) as old:
        with old.cursor() as cursor:
            cursor.execute(filled.replace("VAR", str(settings.VAR_DIR)))
            cursor.execute("SET session_replication_role = origin")
        before = untouched(old)
        migrate(old, *AFTER)
        assert found(old) == rows(old, "store:")
        assert untouched(old) == before, "rows were written that hold nothing to change"
        with old.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM labeling_dataobject WHERE source_ref LIKE 'store:%'")
            assert cursor.fetchone() == (MANY - MANY // 3,)
            cursor.execute("SELECT folder, channels->'model'->>'name' FROM learning_trainingjob")
            assert cursor.fetchone()[0] == "training-1"
        migrate(old, *BEFORE)
        assert found(old) == rows(old, settings.STORE_URL + "/")
