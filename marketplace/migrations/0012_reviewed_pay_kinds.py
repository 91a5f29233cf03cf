"""Kinds of entries and pockets for pay that is held until an answer is reviewed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0011_idempotency_by_account"),
    ]

    operations = [
        migrations.AlterField(
            model_name="entry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("deposit", "Deposit"),
                    ("reserve", "Reserve"),
                    ("payment", "Payment"),
                    ("refund", "Refund"),
                    ("hold", "Hold"),
                    ("release", "Release"),
                    ("return", "Return"),
                    ("appeal", "Appeal"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="ledgeraccount",
            name="kind",
            field=models.CharField(
                choices=[
                    ("outside", "Outside"),
                    ("wallet", "Wallet"),
                    ("escrow", "Escrow"),
                    ("earnings", "Earnings"),
                    ("fees", "Fees"),
                    ("held", "Held"),
                    ("held-fees", "Held Fees"),
                ],
                max_length=10,
            ),
        ),
    ]
