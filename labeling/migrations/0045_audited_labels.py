"""Verification and adjustment jobs know under which attribute their input has the labels that people look at."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0042_worker_templates")]

    operations = [
        migrations.AddField(
            model_name="labelingjob",
            name="audit_label_attribute_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=127),
        ),
    ]
