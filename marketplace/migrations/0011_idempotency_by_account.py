"""Let an Idempotency-Key belong to the account that its request acted for; earlier records act for none."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0010_store_addresses"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="idempotentrequest", name="idempotent_request_once"),
        migrations.AddField(
            model_name="idempotentrequest",
            name="account",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="marketplace.account"),
        ),
        migrations.AddConstraint(
            model_name="idempotentrequest",
            constraint=models.UniqueConstraint(
                fields=("user", "account", "key"), nulls_distinct=False, name="idempotent_request_once"
            ),
        ),
        migrations.AddIndex(
            model_name="idempotentrequest",
            index=models.Index(fields=["created_at"], name="idempotent_request_by_age"),
        ),
    ]
