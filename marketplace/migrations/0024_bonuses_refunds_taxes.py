"""Kinds of entries and pockets for bonuses, chargebacks, refunds of wallets and taxes; billing terms and refunds."""

import django.db.models.deletion
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0022_panels"),
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
                    ("withdrawal", "Withdrawal"),
                    ("payout", "Payout"),
                    ("payback", "Payback"),
                    ("hold", "Hold"),
                    ("release", "Release"),
                    ("return", "Return"),
                    ("appeal", "Appeal"),
                    ("bonus", "Bonus"),
                    ("chargeback", "Chargeback"),
                    ("settlement", "Settlement"),
                    ("tax", "Tax"),
                    ("take-back", "Take Back"),
                    ("taken-back", "Taken Back"),
                    ("kept", "Kept"),
                    ("invoice", "Invoice"),
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
                    ("payouts", "Payouts"),
                    ("held", "Held"),
                    ("held-fees", "Held Fees"),
                    ("owed", "Owed"),
                    ("refunds", "Refunds"),
                    ("taxes", "Taxes"),
                    ("accrued", "Accrued"),
                    ("invoiced", "Invoiced"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="BillingTerms",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="billing_terms",
                        serialize=False,
                        to="marketplace.account",
                    ),
                ),
                ("tax_percent", models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=5)),
                ("taxed_until", models.DateField(null=True)),
                ("tax_label", models.CharField(blank=True, default="", max_length=40)),
                ("tax_number", models.CharField(blank=True, default="", max_length=20)),
                ("billing_name", models.CharField(blank=True, default="", max_length=120)),
                ("billing_address", models.CharField(blank=True, default="", max_length=400)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("tax_percent__gte", 0), ("tax_percent__lte", 100)),
                        name="billing_tax_in_range",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WalletRefund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount_micros", models.BigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Requested", "Requested"),
                            ("Paid", "Paid"),
                            ("Refused", "Refused"),
                            ("Cancelled", "Cancelled"),
                        ],
                        default="Requested",
                        max_length=10,
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, default="", max_length=300)),
                ("requested_by", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wallet_refunds",
                        to="marketplace.account",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["status", "id"], name="wallet_refund_by_status")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_micros__gt", 0)), name="wallet_refund_above_zero"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "Requested")),
                        fields=("account",),
                        name="wallet_refund_one_under_way",
                    ),
                ],
            },
        ),
    ]
