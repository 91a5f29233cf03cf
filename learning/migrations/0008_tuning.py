import django.db.models.deletion
import marketplace.addresses
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0007_model_registry"),
        ("marketplace", "0036_chosen_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="HyperParameterTuningJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("advance_requests", models.BigIntegerField(default=0)),
                ("advancing_by", models.CharField(blank=True, max_length=32)),
                ("advancing_until", models.DateTimeField(null=True)),
                ("name", models.CharField(max_length=32)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("InProgress", "InProgress"),
                            ("Stopping", "Stopping"),
                            ("Completed", "Completed"),
                            ("Failed", "Failed"),
                            ("Stopped", "Stopped"),
                        ],
                        default="InProgress",
                        max_length=20,
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("failure_reason", models.CharField(blank=True, max_length=1024)),
                ("config", models.JSONField()),
                ("hyperparameters", models.JSONField(default=dict)),
                ("channels", marketplace.addresses.AddressesField(default=dict)),
                ("study_name", models.CharField(max_length=64, unique=True)),
                ("ending", models.CharField(blank=True, max_length=40)),
                ("converged_at", models.DateTimeField(null=True)),
                ("attention", models.CharField(blank=True, max_length=500)),
                ("importance", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.account"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TuningTrial",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.IntegerField()),
                ("name", models.CharField(max_length=63)),
                ("hyperparameters", models.JSONField()),
                (
                    "objective_status",
                    models.CharField(
                        choices=[("Pending", "Pending"), ("Succeeded", "Succeeded"), ("Failed", "Failed")],
                        default="Pending",
                        max_length=10,
                    ),
                ),
                ("objective_value", models.FloatField(null=True)),
                ("stopped_early", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "training_job",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tuning_trial",
                        to="learning.trainingjob",
                    ),
                ),
                (
                    "tuning_job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="trials",
                        to="learning.hyperparametertuningjob",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="hyperparametertuningjob",
            index=models.Index(
                condition=models.Q(("status__in", ["InProgress", "Stopping"])), fields=["id"], name="tuning_job_live"
            ),
        ),
        migrations.AddConstraint(
            model_name="hyperparametertuningjob",
            constraint=models.UniqueConstraint(fields=("account", "name"), name="tuning_job_name_once"),
        ),
        migrations.AddConstraint(
            model_name="tuningtrial",
            constraint=models.UniqueConstraint(fields=("tuning_job", "number"), name="tuning_trial_number_once"),
        ),
    ]
