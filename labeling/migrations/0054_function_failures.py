"""Objects that a function has failed are kept apart, so that they can be sent again."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0053_label_attributes_template_archive")]

    operations = [
        migrations.CreateModel(
            name="FunctionFailure",
            fields=[
                (
                    "data_object",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="function_failure",
                        serialize=False,
                        to="labeling.dataobject",
                    ),
                ),
                ("step", models.CharField(choices=[("pre", "Pre"), ("post", "Post")], max_length=4)),
                ("reason", models.CharField(max_length=500)),
                ("times", models.PositiveSmallIntegerField(db_default=0, default=0)),
            ],
        ),
    ]
