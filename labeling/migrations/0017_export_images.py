"""Whether an export has the images in it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0015_label_imports")]

    operations = [
        migrations.AddField(
            model_name="export",
            name="images",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
