"""Predictions of whole jobs whose people check what a model proposes."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0060_prelabels"), ("learning", "0013_loop_audits")]

    operations = [
        migrations.CreateModel(
            name="PreLabelRun",
            fields=[
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="prelabel_run",
                        serialize=False,
                        to="labeling.labelingjob",
                    ),
                ),
                ("problem", models.CharField(blank=True, default="", max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "transform_job",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="prelabels",
                        to="learning.transformjob",
                    ),
                ),
            ],
        ),
    ]
