"""The classes of a work queue can be renamed and merged: the names they had before, and what was done when by whom."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0047_functions")]

    operations = [
        migrations.AddField(
            model_name="workqueue",
            name="earlier_labels",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.CreateModel(
            name="ClassChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("renamed", "Renamed"), ("merged", "Merged")], max_length=7),
                ),
                ("old_name", models.CharField(max_length=256)),
                ("new_name", models.CharField(max_length=256)),
                ("labels", models.IntegerField()),
                ("settled", models.BooleanField(default=False)),
                ("changed_by", models.CharField(max_length=120)),
                ("changed_at", models.DateTimeField()),
                (
                    "queue",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="class_changes",
                        to="labeling.workqueue",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["queue", "-id"], name="class_change_by_queue"),
                    models.Index(
                        condition=models.Q(("settled", False)), fields=["queue"], name="class_change_unsettled"
                    ),
                ],
            },
        ),
    ]
