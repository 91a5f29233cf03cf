import django.db.models.deletion
from django.db import migrations, models

import marketplace.addresses


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0062_streams"),
        ("marketplace", "0040_notices_of_improvement"),
    ]

    operations = [
        migrations.CreateModel(
            name="DiscardedFolder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uri", marketplace.addresses.AddressField(max_length=1024)),
                ("discarded_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.account"
                    ),
                ),
            ],
        ),
    ]
