"""The submit gives an answer the next revision: a rejected task that went back to its worker is answered once more."""

from pathlib import Path

from django.db import migrations

from marketplace import sql

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("labeling", "0020_answer_reviews")]
    operations = [sql.load(SQL / "submit_0021.sql")]
