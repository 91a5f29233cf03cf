"""The function that answers who may see which work keeps its plans, so that asking it costs a claim less."""

from pathlib import Path

from django.db import migrations

from marketplace import sql

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0026_reputation")]
    operations = [
        sql.load(SQL / "eligibility_0027.sql", undo=(SQL / "eligibility_0018.sql").read_text(encoding="utf-8"))
    ]
