"""How wrong the label would have been that a round's rule gives a validation object."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0010_training_progress"),
    ]

    operations = [
        migrations.AddField("loopobject", "loss", models.FloatField(null=True)),
    ]
