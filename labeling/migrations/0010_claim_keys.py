"""A claim has a key that makes it safe to repeat, and the claim function takes it."""

from pathlib import Path

from django.db import migrations, models

from marketplace import sql

SQL = Path(__file__).resolve().parent.parent / "sql"
# Its arguments have changed, so that loading the file again would leave the earlier function beside the new one.
DROP = "DROP FUNCTION IF EXISTS labeling_claim(bigint, bigint, timestamptz, integer);"


class Migration(migrations.Migration):
    dependencies = [("labeling", "0009_object_source_name")]
    operations = [
        migrations.AddField(
            "assignment", "claim_key", models.CharField(blank=True, db_default="", default="", max_length=200)
        ),
        migrations.AddConstraint(
            "assignment",
            models.UniqueConstraint(
                condition=models.Q(("claim_key__gt", "")),
                fields=("worker", "queue", "claim_key"),
                name="assignment_claim_key_once",
            ),
        ),
        migrations.RunSQL(DROP, migrations.RunSQL.noop),
        sql.load(SQL / "claim.sql"),
    ]
