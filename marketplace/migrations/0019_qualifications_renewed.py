"""When the figure behind a qualification was last looked at."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0018_qualifications"),
    ]

    operations = [
        migrations.AddField(
            model_name="qualification",
            name="renewed_at",
            field=models.DateTimeField(null=True),
        ),
    ]
