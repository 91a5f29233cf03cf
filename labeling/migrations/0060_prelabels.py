"""Pre-labels that people check and correct, for a price of its own."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from marketplace import sql

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("labeling", "0059_labels_taken_back")]

    operations = [
        migrations.AddField(
            model_name="labelingjob",
            name="prelabels",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name="labelingjob",
            name="prelabel_figures",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name="task", name="checks", field=models.BooleanField(db_default=False, default=False)
        ),
        migrations.AddField(model_name="workqueue", name="check_price_micros", field=models.BigIntegerField(null=True)),
        migrations.AddField(model_name="workqueue", name="check_fee_micros", field=models.BigIntegerField(null=True)),
        migrations.AddConstraint(
            model_name="workqueue",
            constraint=models.CheckConstraint(
                condition=models.Q(check_price_micros=None, check_fee_micros=None)
                | models.Q(check_price_micros__gte=0, check_fee_micros__gte=0),
                name="work_queue_check_price_with_fee",
            ),
        ),
        migrations.CreateModel(
            name="PreLabel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model_name", models.CharField(blank=True, default="", max_length=63)),
                (
                    "use",
                    models.CharField(
                        choices=[("shown", "Shown"), ("blind", "Blind"), ("apart", "Apart")], max_length=5
                    ),
                ),
                ("value", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now=True)),
                (
                    "data_object",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prelabels",
                        to="labeling.dataobject",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("data_object", "model_name"), name="prelabel_once_per_model"),
                    models.UniqueConstraint(
                        condition=models.Q(("use", "shown")), fields=("data_object",), name="prelabel_one_shown"
                    ),
                ],
            },
        ),
        # A task that checks is shown and paid at the price of that.
        sql.load(SQL / "claim_0060.sql"),
        sql.load(SQL / "submit_0060.sql"),
    ]
