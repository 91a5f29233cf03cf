"""Questions of qualification tests can be texts, of which they hold a copy."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0050_class_changes")]

    operations = [
        migrations.AddField(
            model_name="qualificationquestion",
            name="text",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
