"""Every team becomes a group with its members, and the SQL function that answers who may see which work."""

from pathlib import Path

from django.db import migrations

from marketplace import sql

GROUPS = """
INSERT INTO marketplace_workergroup (kind, workteam_id)
    SELECT CASE WHEN crowd = 'public-crowd' THEN 'public' ELSE 'team' END, id FROM marketplace_workteam;
INSERT INTO marketplace_groupmember (group_id, worker_id)
    SELECT g.id, m.worker_id FROM marketplace_workteammember m
    JOIN marketplace_workergroup g ON g.workteam_id = m.workteam_id;
"""
SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0004_worker_groups")]
    operations = [
        migrations.RunSQL(GROUPS, "DELETE FROM marketplace_groupmember; DELETE FROM marketplace_workergroup;"),
        sql.load(SQL / "eligibility.sql", undo="DROP FUNCTION marketplace_refusal(bigint, bigint, bigint);"),
    ]
