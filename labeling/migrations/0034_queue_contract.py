"""A work queue may be under a contract with a vendor."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0033_bonuses_pauses"),
        ("marketplace", "0020_vendors"),
    ]

    operations = [
        migrations.AddField(
            model_name="workqueue",
            name="contract",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="work_queues",
                to="marketplace.contract",
            ),
        ),
    ]
