"""Workers' own keys in the tools they work with."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0035_saml_providers")]

    operations = [
        migrations.CreateModel(
            name="ChosenKeys",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("element", models.CharField(max_length=60)),
                ("keys", models.JSONField(default=dict)),
                ("changed_at", models.DateTimeField()),
                (
                    "worker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chosen_keys",
                        to="marketplace.worker",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("worker", "element"), name="chosen_keys_once")],
            },
        ),
    ]
