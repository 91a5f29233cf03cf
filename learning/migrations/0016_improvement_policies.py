"""Policies of continuous improvement, the images they met, and their trainings."""

import django.db.models.deletion
import marketplace.addresses
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0061_loop_agreement"),
        ("learning", "0015_endpoint_reviews"),
        ("marketplace", "0040_notices_of_improvement"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImprovementPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("advance_requests", models.BigIntegerField(default=0)),
                ("advancing_by", models.CharField(blank=True, max_length=32)),
                ("advancing_until", models.DateTimeField(null=True)),
                ("name", models.CharField(max_length=63)),
                (
                    "status",
                    models.CharField(
                        choices=[("Active", "Active"), ("Stopped", "Stopped")], default="Active", max_length=20
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("location", marketplace.addresses.AddressField(max_length=1024)),
                ("parameters", models.JSONField()),
                ("settings", models.JSONField()),
                ("labels", models.JSONField()),
                ("fixed_uri", marketplace.addresses.AddressField(max_length=1024)),
                ("base_uri", marketplace.addresses.AddressField(blank=True, max_length=1024)),
                ("fixed_images", models.IntegerField(default=0)),
                ("base_images", models.IntegerField(default=0)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("confirm_address", models.CharField(blank=True, max_length=1024)),
                ("listing_after", marketplace.addresses.AddressField(blank=True, max_length=1024)),
                ("listed_at", models.DateTimeField(null=True)),
                ("training_checked_at", models.DateTimeField(null=True)),
                ("sampled_at", models.DateTimeField(null=True)),
                ("sampled_up_to", models.BigIntegerField(default=0)),
                ("since_sample", models.IntegerField(default=0)),
                ("units_pending", models.BooleanField(default=False)),
                ("reference", models.JSONField(default=dict)),
                ("drift", models.JSONField(default=dict)),
                ("drift_checked_at", models.DateTimeField(null=True)),
                ("drifting_since", models.DateTimeField(null=True)),
                ("attention", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("created_by", models.CharField(blank=True, max_length=120)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.account"
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="improvement_policies",
                        to="learning.endpoint",
                    ),
                ),
                (
                    "flow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="labeling.flowdefinition"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PolicyRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.IntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("InitiateTraining", "InitiateTraining"),
                            ("CreateManifest", "CreateManifest"),
                            ("CreateProjectVersion", "CreateProjectVersion"),
                            ("WaitForTraining", "WaitForTraining"),
                            ("TrainingCompleted", "TrainingCompleted"),
                            ("Evaluation", "Evaluation"),
                            ("StartModel", "StartModel"),
                            ("WaitForStart", "WaitForStart"),
                            ("ModelStarted", "ModelStarted"),
                            ("DeployEndpoint", "DeployEndpoint"),
                            ("Watching", "Watching"),
                            ("RollingBack", "RollingBack"),
                            ("Completed", "Completed"),
                            ("RolledBack", "RolledBack"),
                            ("FailedF1Score", "FailedF1Score"),
                            ("Regression", "Regression"),
                            ("Stopped", "Stopped"),
                            ("Failed", "Failed"),
                        ],
                        default="InitiateTraining",
                        max_length=30,
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=1024)),
                ("deployed_at", models.DateTimeField(null=True)),
                ("manifest_uri", marketplace.addresses.AddressField(blank=True, max_length=1024)),
                ("fresh_uri", marketplace.addresses.AddressField(blank=True, max_length=1024)),
                ("images", models.IntegerField(default=0)),
                ("fresh_images", models.IntegerField(default=0)),
                ("training_images", models.IntegerField(default=0)),
                ("figures", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "deployment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="learning.deployment",
                    ),
                ),
                (
                    "live_model",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="learning.model"
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="learning.model"
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="learning.improvementpolicy",
                    ),
                ),
                (
                    "training_job",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="policy_run",
                        to="learning.trainingjob",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Detection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uri", marketplace.addresses.AddressField(max_length=1024)),
                ("version", models.CharField(max_length=200)),
                ("found_by", models.CharField(choices=[("poll", "poll"), ("event", "event")], max_length=12)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Found", "Found"),
                            ("PassConfidence", "PassConfidence"),
                            ("A2IOff", "A2IOff"),
                            ("HumanLoop", "HumanLoop"),
                            ("Answered", "Answered"),
                            ("Unanswered", "Unanswered"),
                            ("Failed", "Failed"),
                        ],
                        default="Found",
                        max_length=20,
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("label", models.CharField(blank=True, max_length=256)),
                ("confidence", models.FloatField(null=True)),
                ("width", models.IntegerField(null=True)),
                ("height", models.IntegerField(null=True)),
                ("boxes", models.JSONField(default=list)),
                ("features", models.JSONField(default=dict)),
                ("sampled", models.BooleanField(default=False)),
                ("source", models.CharField(blank=True, max_length=20)),
                ("human_label", models.CharField(blank=True, max_length=256)),
                ("truth", models.JSONField(null=True)),
                ("agreement", models.FloatField(null=True)),
                ("use", models.CharField(blank=True, choices=[("train", "Train"), ("fresh", "Fresh")], max_length=10)),
                ("set_aside", models.BooleanField(default=False)),
                ("found_at", models.DateTimeField(auto_now_add=True)),
                ("detected_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "human_loop",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="detection",
                        to="labeling.humanloop",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="learning.model"
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="detections",
                        to="learning.improvementpolicy",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="detections",
                        to="learning.policyrun",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RunStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state", models.CharField(max_length=30)),
                ("because", models.CharField(blank=True, max_length=500)),
                ("at", models.DateTimeField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="learning.policyrun"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="improvementpolicy",
            constraint=models.UniqueConstraint(fields=("account", "name"), name="improvement_policy_name_once"),
        ),
        migrations.AddConstraint(
            model_name="policyrun",
            constraint=models.UniqueConstraint(fields=("policy", "number"), name="policy_run_number_once"),
        ),
        migrations.AddConstraint(
            model_name="policyrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "InitiateTraining",
                            "CreateManifest",
                            "CreateProjectVersion",
                            "WaitForTraining",
                            "TrainingCompleted",
                            "Evaluation",
                            "StartModel",
                            "WaitForStart",
                            "ModelStarted",
                            "DeployEndpoint",
                            "RollingBack",
                        ],
                    )
                ),
                fields=("policy",),
                name="policy_run_once",
            ),
        ),
        migrations.AddIndex(
            model_name="detection",
            index=models.Index(fields=["policy", "status", "id"], name="detection_by_status"),
        ),
        migrations.AddConstraint(
            model_name="detection",
            constraint=models.UniqueConstraint(fields=("policy", "uri", "version"), name="detection_of_a_version_once"),
        ),
    ]
