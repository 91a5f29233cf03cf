"""Endpoints that put predictions before people, and the requests that met their conditions."""

import django.db.models.deletion
import marketplace.addresses
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0061_loop_agreement"),
        ("learning", "0014_prelabel_runs"),
        ("marketplace", "0037_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="varianttraffic",
            name="left_out",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="EndpointReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("conditions", models.JSONField(default=dict)),
                ("least_score", models.FloatField()),
                ("content_classifiers", models.JSONField(default=list)),
                ("most_per_hour", models.IntegerField()),
                ("trouble", models.CharField(blank=True, max_length=1024)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                ("changed_by", models.CharField(max_length=120)),
                (
                    "endpoint",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="review", to="learning.endpoint"
                    ),
                ),
                (
                    "flow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="labeling.flowdefinition"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReviewRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=32)),
                ("inference_id", models.CharField(blank=True, max_length=64)),
                ("model_name", models.CharField(max_length=63)),
                ("class_names", models.JSONField()),
                ("least_score", models.FloatField()),
                ("content_classifiers", models.JSONField(default=list)),
                ("picture", models.BinaryField(null=True)),
                ("answer", models.TextField(blank=True)),
                ("results", models.JSONField()),
                ("picture_uri", marketplace.addresses.AddressField(blank=True, max_length=1024)),
                ("loop_name", models.CharField(max_length=63)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Waiting", "Waiting"),
                            ("InProgress", "InProgress"),
                            ("Completed", "Completed"),
                            ("Failed", "Failed"),
                            ("Stopped", "Stopped"),
                        ],
                        default="Waiting",
                        max_length=20,
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("failure_reason", models.CharField(blank=True, max_length=1024)),
                ("created_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="marketplace.account",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="review_requests",
                        to="learning.endpoint",
                    ),
                ),
                (
                    "flow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="labeling.flowdefinition"
                    ),
                ),
                (
                    "loop",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="review_request",
                        to="labeling.humanloop",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["endpoint", "-created_at"], name="review_request_by_endpoint"),
                    models.Index(
                        condition=models.Q(("status__in", ["Waiting", "InProgress"])),
                        fields=["status", "created_at"],
                        name="review_request_live",
                    ),
                    models.Index(fields=["created_at"], name="review_request_by_age"),
                ],
                "constraints": [models.UniqueConstraint(fields=("endpoint", "key"), name="review_request_once")],
            },
        ),
    ]
