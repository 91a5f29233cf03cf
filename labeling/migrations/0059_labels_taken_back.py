"""Batches that ask people about objects which a model has labeled, and labels that were taken back."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0058_human_review")]

    operations = [
        migrations.AddField(
            model_name="batch", name="relabels", field=models.BooleanField(db_default=False, default=False)
        ),
        migrations.CreateModel(
            name="LabelWithdrawal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "label",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="withdrawal", to="labeling.label"
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
    ]
