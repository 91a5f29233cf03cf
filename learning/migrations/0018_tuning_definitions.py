"""Tuning jobs of several definitions of trainings."""

import marketplace.addresses
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0017_named_models"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="tuningtrial",
            name="tuning_trial_number_once",
        ),
        migrations.AddField(
            model_name="hyperparametertuningjob",
            name="definitions",
            field=marketplace.addresses.AddressesField(db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.AddField(
            model_name="tuningtrial",
            name="definition",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddConstraint(
            model_name="tuningtrial",
            constraint=models.UniqueConstraint(fields=("tuning_job", "definition", "number"), name="tuning_trial_once"),
        ),
    ]
