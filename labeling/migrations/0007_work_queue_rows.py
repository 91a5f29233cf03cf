"""A work queue for every labeling job, with the job's own key: so the large tables keep their values in the next step."""

from django.db import migrations

DESIGN = [
    "workteam_id",
    "task_type",
    "labels",
    "title",
    "description",
    "keywords",
    "instructions",
    "price_micros",
    "fee_micros",
    "expected_seconds",
    "task_time_limit_seconds",
    "task_availability_seconds",
    "max_concurrent_tasks",
]

FILL = f"""
INSERT INTO marketplace_audience (key)
    SELECT DISTINCT g.id::text FROM labeling_labelingjob j JOIN marketplace_workergroup g ON g.workteam_id = j.workteam_id
    ON CONFLICT (key) DO NOTHING;
INSERT INTO marketplace_audiencegroup (audience_id, group_id)
    SELECT a.id, a.key::bigint FROM marketplace_audience a
    WHERE NOT EXISTS (SELECT 1 FROM marketplace_audiencegroup x WHERE x.audience_id = a.id);
INSERT INTO labeling_workqueue (id, account_id, owner_kind, status, status_changed_at, created_at, audience_id,
        first_seats, max_seats, {", ".join(DESIGN)})
    SELECT j.id, j.account_id, 'labeling-job',
        CASE WHEN j.status IN ('Initializing', 'InProgress') THEN j.status ELSE 'Stopped' END,
        j.status_changed_at, j.created_at, a.id,
        CASE WHEN j.redundancy ->> 'kind' = 'dynamic'
             THEN least((j.redundancy ->> 'start')::int, j.workers_per_object) ELSE j.workers_per_object END,
        j.workers_per_object, {", ".join(f"j.{name}" for name in DESIGN)}
    FROM labeling_labelingjob j
    JOIN marketplace_workergroup g ON g.workteam_id = j.workteam_id
    JOIN marketplace_audience a ON a.key = g.id::text;
SELECT setval(pg_get_serial_sequence('labeling_workqueue', 'id'), greatest(max(id), 1), max(id) IS NOT NULL)
    FROM labeling_workqueue;
UPDATE labeling_labelingjob SET queue_id = id;
UPDATE labeling_task t SET input = jsonb_build_object('object', o.id, 'width', o.width, 'height', o.height)
    FROM labeling_dataobject o WHERE o.id = t.data_object_id AND t.batch_id IN (
        SELECT b.id FROM labeling_batch b WHERE b.status IN ('Initializing', 'InProgress'));
UPDATE marketplace_ledgeraccount SET purpose_type = 'work-queue' WHERE purpose_type = 'labeling-job';
"""


class Migration(migrations.Migration):
    dependencies = [("labeling", "0006_work_queue")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
