"""How likely labels are wrong, and when that was last estimated for a job."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0054_function_failures")]

    operations = [
        migrations.AddField(
            model_name="labelingjob",
            name="errors_estimated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="LikelyError",
            fields=[
                (
                    "data_object",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="likely_error",
                        serialize=False,
                        to="labeling.dataobject",
                    ),
                ),
                ("chance", models.FloatField()),
                ("kinds", models.JSONField(default=dict)),
                ("model_name", models.CharField(blank=True, max_length=63)),
            ],
        ),
    ]
