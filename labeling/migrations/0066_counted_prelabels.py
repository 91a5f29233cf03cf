"""Pre-labels that people do not see and that count as one more answer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0065_planned_advances")]

    operations = [
        migrations.RemoveConstraint(model_name="prelabel", name="prelabel_one_shown"),
        migrations.AlterField(
            model_name="prelabel",
            name="use",
            field=models.CharField(
                choices=[("shown", "Shown"), ("counted", "Counted"), ("blind", "Blind"), ("apart", "Apart")],
                max_length=7,
            ),
        ),
        migrations.AddConstraint(
            model_name="prelabel",
            constraint=models.UniqueConstraint(
                condition=models.Q(("use__in", ["shown", "counted"])),
                fields=("data_object",),
                name="prelabel_one_in_use",
            ),
        ),
    ]
