"""Pre-labels that people do not see and that count as one more answer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0065_planned_advances")]

    operations = [
        migrations.AlterField(
            model_name="prelabel",
            name="use",
            field=models.CharField(
                choices=[("shown", "Shown"), ("count", "Counted"), ("blind", "Blind"), ("apart", "Apart")],
                max_length=5,
            ),
        ),
    ]
