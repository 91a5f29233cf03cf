"""Work queues may have a review: a row for each answer under review, and appeals against rejections."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0019_worker_models_table"),
        ("marketplace", "0012_reviewed_pay_kinds"),
    ]

    operations = [
        migrations.AddField(
            model_name="task",
            name="extra_answers",
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="task",
            name="rejections_count",
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="workqueue",
            name="review_days",
            field=models.SmallIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="assignment",
            name="state",
            field=models.CharField(
                choices=[
                    ("Leased", "Leased"),
                    ("Submitted", "Submitted"),
                    ("Returned", "Returned"),
                    ("Expired", "Expired"),
                    ("Declined", "Declined"),
                    ("Rejected", "Rejected"),
                    ("Cancelled", "Cancelled"),
                ],
                default="Leased",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="AnswerReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("Pending", "Pending"), ("Accepted", "Accepted"), ("Rejected", "Rejected")],
                        default="Pending",
                        max_length=8,
                    ),
                ),
                ("price_micros", models.BigIntegerField()),
                ("fee_micros", models.BigIntegerField()),
                ("submitted_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.CharField(blank=True, default="", max_length=120)),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("returned", models.BooleanField(default=False)),
                ("to_wallet_micros", models.BigIntegerField(default=0)),
                ("labels", models.JSONField(default=list)),
                ("agreement", models.FloatField(null=True)),
                ("sampled", models.BooleanField(default=False)),
                (
                    "answer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="review", to="labeling.answer"
                    ),
                ),
                (
                    "assignment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reviews", to="labeling.assignment"
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reviews",
                        to="labeling.workqueue",
                    ),
                ),
                (
                    "worker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="marketplace.worker",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Appeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("Open", "Open"), ("Upheld", "Upheld"), ("Denied", "Denied")],
                        default="Open",
                        max_length=6,
                    ),
                ),
                ("text", models.CharField(max_length=2000)),
                ("filed_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("answer", models.CharField(blank=True, default="", max_length=2000)),
                ("answered_at", models.DateTimeField(null=True)),
                ("answered_by", models.CharField(blank=True, default="", max_length=120)),
                ("attention", models.CharField(blank=True, default="", max_length=500)),
                (
                    "review",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="appeal", to="labeling.answerreview"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="answerreview",
            index=models.Index(fields=["queue", "state", "id"], name="review_by_queue_state"),
        ),
        migrations.AddIndex(
            model_name="answerreview",
            index=models.Index(fields=["worker", "-id"], name="review_by_worker"),
        ),
        migrations.AddIndex(
            model_name="answerreview",
            index=models.Index(
                condition=models.Q(("state", "Pending")), fields=["due_at", "id"], name="review_pending_due"
            ),
        ),
        migrations.AddIndex(
            model_name="appeal",
            index=models.Index(condition=models.Q(("state", "Open")), fields=["due_at", "id"], name="appeal_open_due"),
        ),
    ]
