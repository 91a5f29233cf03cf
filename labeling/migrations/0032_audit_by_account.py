"""Which accounts may read the audit rows about jobs, work queues, data sets and imports that were written before."""

from django.db import migrations

TABLES = {
    "labeling.LabelingJob": "labeling_labelingjob",
    "labeling.WorkQueue": "labeling_workqueue",
    "labeling.Dataset": "labeling_dataset",
    "labeling.LabelImport": "labeling_labelimport",
}
FILL = "\n".join(
    f"UPDATE marketplace_auditevent e SET account_id = o.account_id FROM {table} o "
    f"WHERE e.object_type = '{label}' AND e.account_id IS NULL AND o.id = e.object_id;"
    for label, table in TABLES.items()
)


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0030_panel_sessions"),
        ("marketplace", "0015_webhooks_audit_funds"),
    ]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
