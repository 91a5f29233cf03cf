"""Label imports say whose labels they read; names of formats are longer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0056_difficulty")]

    operations = [
        migrations.AddField(
            model_name="labelimport",
            name="task_type",
            field=models.CharField(db_default="BoundingBox", default="BoundingBox", max_length=60),
        ),
        migrations.AlterField(
            model_name="labelimport", name="asked_format", field=models.CharField(default="auto", max_length=20)
        ),
        migrations.AlterField(
            model_name="labelimport", name="format", field=models.CharField(blank=True, max_length=20)
        ),
    ]
