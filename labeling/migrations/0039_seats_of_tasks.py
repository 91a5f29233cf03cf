"""Each task has its own largest number of seats, so that a queue's redundancy may be fractional; a gold's is no other."""

from django.db import migrations, models

FILL = """
UPDATE labeling_task t SET max_seats = coalesce(t.gold_seats, q.max_seats)
    FROM labeling_workqueue q WHERE q.id = t.queue_id;
"""
UNDO = "UPDATE labeling_task SET gold_seats = max_seats WHERE gold_id IS NOT NULL;"


class Migration(migrations.Migration):
    dependencies = [("labeling", "0037_price_changes")]

    operations = [
        migrations.AddField(
            model_name="workqueue",
            name="fewer_percent",
            field=models.SmallIntegerField(default=0, db_default=0),
        ),
        migrations.AddConstraint(
            model_name="workqueue",
            constraint=models.CheckConstraint(
                condition=models.Q(fewer_percent=0)
                | models.Q(
                    fewer_percent__gt=0,
                    fewer_percent__lt=100,
                    max_seats__gt=1,
                    first_seats=models.F("max_seats"),
                ),
                name="work_queue_fewer_in_range",
            ),
        ),
        migrations.AddField(model_name="task", name="max_seats", field=models.SmallIntegerField(null=True)),
        migrations.RunSQL(FILL, UNDO),
        migrations.AlterField(model_name="task", name="max_seats", field=models.SmallIntegerField()),
        migrations.RemoveField(model_name="task", name="gold_seats"),
    ]
