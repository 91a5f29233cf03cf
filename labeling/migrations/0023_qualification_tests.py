"""Tests of qualifications: questions with known answers, attempts and what was answered."""

import django.db.models.deletion
import marketplace.addresses
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0022_claim_by_pace"),
        ("marketplace", "0018_qualifications"),
    ]

    operations = [
        migrations.CreateModel(
            name="QualificationTest",
            fields=[
                (
                    "qualification_type",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="qualification_test",
                        serialize=False,
                        to="marketplace.qualificationtype",
                    ),
                ),
                ("task_type", models.CharField(max_length=40)),
                ("labels", models.JSONField()),
                ("instructions", models.TextField(blank=True)),
                ("questions_asked", models.SmallIntegerField()),
                ("time_limit_seconds", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="QualificationAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("training", models.BooleanField()),
                ("started_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("score", models.SmallIntegerField(null=True)),
                ("passed", models.BooleanField(null=True)),
                (
                    "worker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="qualification_attempts",
                        to="marketplace.worker",
                    ),
                ),
                (
                    "test",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="labeling.qualificationtest",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="QualificationQuestion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.SmallIntegerField()),
                ("training", models.BooleanField()),
                ("source_ref", marketplace.addresses.AddressField(max_length=1024)),
                ("upright_uri", marketplace.addresses.AddressField(blank=True, max_length=1024)),
                ("width", models.IntegerField()),
                ("height", models.IntegerField()),
                ("truth", models.JSONField()),
                (
                    "test",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="questions",
                        to="labeling.qualificationtest",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="QualificationAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.SmallIntegerField()),
                ("content", models.JSONField(null=True)),
                ("score", models.FloatField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "attempt",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answers",
                        to="labeling.qualificationattempt",
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answers",
                        to="labeling.qualificationquestion",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("attempt", "place"), name="qualification_answer_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="qualificationquestion",
            constraint=models.UniqueConstraint(fields=("test", "place"), name="qualification_question_once"),
        ),
        migrations.AddIndex(
            model_name="qualificationattempt",
            index=models.Index(fields=["worker", "test", "-id"], name="qualification_attempt_worker"),
        ),
        migrations.AddConstraint(
            model_name="qualificationattempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("worker", "test", "training"),
                name="qualification_attempt_one_open",
            ),
        ),
    ]
