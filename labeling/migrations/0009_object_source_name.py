"""The name that a data object had before it was stored under a key of ours.

The database fills in the default, so that processes of the version before go on adding objects.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0008_tasks_of_queues")]

    operations = [
        migrations.AddField(
            model_name="dataobject",
            name="source_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=1024),
        ),
    ]
