"""A price can be raised while people work: its history, the price promised with each claim, and a wanted end."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from marketplace import sql

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("labeling", "0034_queue_contract")]

    operations = [
        migrations.AddField(
            model_name="answerreview",
            name="kept_micros",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="assignment",
            name="promised_micros",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="labelingjob",
            name="price_ceiling_micros",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="labelingjob",
            name="wanted_end",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="PriceChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("old_price_micros", models.BigIntegerField()),
                ("price_micros", models.BigIntegerField()),
                ("fee_micros", models.BigIntegerField()),
                ("reserved_micros", models.BigIntegerField()),
                ("because", models.CharField(max_length=200)),
                ("changed_by", models.CharField(max_length=120)),
                ("changed_at", models.DateTimeField()),
                (
                    "queue",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="price_changes",
                        to="labeling.workqueue",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["queue", "-id"], name="price_change_by_queue")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("price_micros__gt", models.F("old_price_micros"))),
                        name="price_only_raised",
                    )
                ],
            },
        ),
        # The claim keeps the price that was shown; the submit pays the price of its moment.
        sql.load(SQL / "claim_0037.sql"),
        sql.load(SQL / "submit_0037.sql"),
    ]
