"""The topics of labeling jobs: what they send, and which labels were sent to them."""

import django.db.models.deletion
import marketplace.addresses
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0061_loop_agreement"),
    ]

    operations = [
        migrations.CreateModel(
            name="JobTopics",
            fields=[
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="topics",
                        serialize=False,
                        to="labeling.labelingjob",
                    ),
                ),
                ("input_topic", models.CharField(blank=True, max_length=2048)),
                ("output_topic", models.CharField(blank=True, max_length=2048)),
                ("endpoint_url", models.CharField(blank=True, max_length=500)),
                ("subscription_arn", models.CharField(blank=True, max_length=2048)),
                ("confirm_url", models.CharField(blank=True, max_length=2048)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("last_message_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="SentLabel",
            fields=[
                (
                    "data_object",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="sent_label",
                        serialize=False,
                        to="labeling.dataobject",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StreamMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("message_id", models.CharField(max_length=100)),
                ("line", marketplace.addresses.LineField()),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                ("taken", models.BooleanField(default=False)),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stream_messages",
                        to="labeling.labelingjob",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("taken", False)), fields=["job", "id"], name="stream_message_waiting"
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("job", "digest"), name="stream_message_once")],
            },
        ),
    ]
