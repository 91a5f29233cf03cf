"""Work queues whose task type is shown by a template of the requester's hold it in a table of its own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0040_queue_reviewers")]

    operations = [
        migrations.CreateModel(
            name="QueueTemplate",
            fields=[
                (
                    "queue",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="template",
                        serialize=False,
                        to="labeling.workqueue",
                    ),
                ),
                ("text", models.TextField()),
                ("script_hosts", models.JSONField(default=list)),
            ],
        ),
    ]
