"""Tasks and assignments are found by their queue, labels by the model that made them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0010_claim_keys")]
    operations = [
        migrations.AddIndex("task", models.Index(fields=["queue", "id"], name="task_by_queue")),
        migrations.AddIndex("assignment", models.Index(fields=["queue", "state"], name="assignment_by_queue_state")),
        migrations.AddIndex(
            "label",
            models.Index(condition=models.Q(("model_name__gt", "")), fields=["model_name"], name="label_by_model"),
        ),
    ]
