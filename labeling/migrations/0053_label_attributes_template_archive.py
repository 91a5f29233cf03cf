"""Labels of a work queue can have attributes, and kept worker templates can be put into an archive."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0048_kept_worker_templates")]

    operations = [
        migrations.AddField(
            model_name="workqueue",
            name="label_category_config",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name="workertemplate",
            name="archived_at",
            field=models.DateTimeField(null=True),
        ),
    ]
