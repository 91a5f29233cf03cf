"""Events of changes of state, their destinations, and what was sent."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0036_chosen_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventDestination",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("description", models.CharField(blank=True, default="", max_length=80)),
                (
                    "status",
                    models.CharField(
                        choices=[("Active", "Active"), ("Disabled", "Disabled")], default="Active", max_length=10
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("secret", models.CharField(max_length=300)),
                ("earlier_secret", models.CharField(blank=True, default="", max_length=300)),
                ("earlier_until", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sns", "Amazon SNS topic"),
                            ("sqs", "Amazon SQS queue"),
                            ("eventbridge", "Amazon EventBridge event bus"),
                            ("webhook", "Webhook"),
                        ],
                        max_length=12,
                    ),
                ),
                ("target", models.CharField(max_length=2048)),
                ("endpoint_url", models.CharField(blank=True, default="", max_length=500)),
                ("source", models.CharField(max_length=256)),
                ("detail_types", models.JSONField(default=list)),
                ("statuses", models.JSONField(default=list)),
                (
                    "credentials",
                    models.CharField(
                        choices=[
                            ("none", "None (webhooks)"),
                            ("role", "An IAM role"),
                            ("keys", "An access key"),
                            ("installation", "Those of this installation"),
                        ],
                        default="none",
                        max_length=12,
                    ),
                ),
                ("role_arn", models.CharField(blank=True, default="", max_length=2048)),
                ("access_key_id", models.CharField(blank=True, default="", max_length=128)),
                ("secret_access_key", models.CharField(blank=True, default="", max_length=500)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="event_destinations",
                        to="marketplace.account",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("subject_type", models.CharField(max_length=40)),
                ("subject_id", models.BigIntegerField()),
                ("sequence", models.PositiveIntegerField()),
                ("detail_type", models.CharField(max_length=100)),
                ("status", models.CharField(max_length=30)),
                ("resource", models.CharField(max_length=2048)),
                ("detail", models.JSONField()),
                ("final", models.BooleanField(default=False)),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="marketplace.account",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "-id"], name="event_by_account"),
                    models.Index(fields=["at"], name="event_by_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject_type", "subject_id", "sequence"), name="event_sequence_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EventDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("body", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("next_at", models.DateTimeField(null=True)),
                ("attempted_at", models.DateTimeField(null=True)),
                ("delivered_at", models.DateTimeField(null=True)),
                ("response_status", models.PositiveSmallIntegerField(null=True)),
                ("response", models.CharField(blank=True, default="", max_length=500)),
                ("message_id", models.CharField(max_length=40)),
                ("kind", models.CharField(max_length=100)),
                ("subject_type", models.CharField(max_length=40)),
                ("subject_id", models.BigIntegerField()),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="marketplace.eventdestination",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["endpoint", "-id"], name="event_delivery_by_endpoint"),
                    models.Index(
                        condition=models.Q(("next_at__isnull", False)), fields=["next_at"], name="event_delivery_due"
                    ),
                    models.Index(
                        condition=models.Q(("next_at__isnull", False)),
                        fields=["endpoint", "subject_type", "subject_id", "id"],
                        name="event_delivery_waiting",
                    ),
                    models.Index(fields=["created_at"], name="event_delivery_by_age"),
                ],
                "constraints": [models.UniqueConstraint(fields=("endpoint", "message_id"), name="event_delivery_once")],
            },
        ),
    ]
