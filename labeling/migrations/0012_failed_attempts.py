from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0011_indexes_by_queue_and_model"),
    ]

    operations = [
        migrations.CreateModel(
            name="FailedAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("work", models.CharField(max_length=80)),
                ("row_id", models.BigIntegerField()),
                ("failures", models.IntegerField(default=0)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("failed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("work", "row_id"), name="failed_attempt_once")],
            },
        ),
    ]
