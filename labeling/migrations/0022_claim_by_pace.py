"""What a worker may hold grows with what they hand in."""

from pathlib import Path

from django.db import migrations

from marketplace import sql

SQL = Path(__file__).resolve().parent.parent / "sql"
# Its arguments have changed: without this the earlier function would stay beside the new one.
DROP = "DROP FUNCTION IF EXISTS labeling_claim(bigint, bigint, timestamptz, integer, integer, text);"


class Migration(migrations.Migration):
    dependencies = [("labeling", "0021_submit_again")]
    operations = [migrations.RunSQL(DROP, migrations.RunSQL.noop), sql.load(SQL / "claim_0022.sql")]
