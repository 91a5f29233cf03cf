"""What requests of AWS's clients said of the things that they made, and the name of an account's workforce."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0038_access_keys_and_tags"),
    ]

    operations = [
        migrations.CreateModel(
            name="Workforce",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="workforce",
                        serialize=False,
                        to="marketplace.account",
                    ),
                ),
                ("name", models.CharField(max_length=63)),
                ("source_cidrs", models.JSONField(default=list)),
                ("said", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="ResourceRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("arn", models.CharField(max_length=2048)),
                ("members", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="resource_requests",
                        to="marketplace.account",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "arn"), name="resource_request_once")],
            },
        ),
    ]
