"""Vendors with their listings, contracts and invoices; pockets for what is accrued and invoiced under a contract."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0019_qualifications_renewed"),
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
                    ("accrued", "Accrued"),
                    ("invoiced", "Invoiced"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="workergroup",
            name="kind",
            field=models.CharField(
                choices=[("team", "Team"), ("public", "Public"), ("contract", "Contract")], max_length=20
            ),
        ),
        migrations.CreateModel(
            name="Contract",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Proposed", "Proposed"),
                            ("Countered", "Countered"),
                            ("Live", "Live"),
                            ("Ended", "Ended"),
                            ("Declined", "Declined"),
                            ("Withdrawn", "Withdrawn"),
                        ],
                        default="Proposed",
                        max_length=10,
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("prices", models.JSONField()),
                ("ends_on", models.DateField()),
                (
                    "invoice_period",
                    models.CharField(choices=[("Weekly", "Weekly"), ("Monthly", "Monthly")], max_length=10),
                ),
                ("note", models.CharField(blank=True, max_length=500)),
                ("version", models.IntegerField(default=1)),
                ("live_at", models.DateTimeField(null=True)),
                ("notice_at", models.DateTimeField(null=True)),
                ("next_invoice_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "requester",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contracts_as_requester",
                        to="marketplace.account",
                    ),
                ),
                (
                    "vendor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contracts_as_vendor",
                        to="marketplace.account",
                    ),
                ),
                (
                    "workteam",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contract",
                        to="marketplace.workteam",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=40, unique=True)),
                (
                    "status",
                    models.CharField(choices=[("Issued", "Issued"), ("Paid", "Paid")], default="Issued", max_length=10),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                ("requester_name", models.CharField(max_length=80)),
                ("vendor_name", models.CharField(max_length=80)),
                ("answers", models.IntegerField()),
                ("amount_micros", models.BigIntegerField()),
                ("fee_micros", models.BigIntegerField()),
                ("issued_at", models.DateTimeField()),
                ("payment_reference", models.CharField(blank=True, default="", max_length=120)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="marketplace.contract"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="InvoicedPosting",
            fields=[
                (
                    "posting",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="invoiced",
                        serialize=False,
                        to="marketplace.posting",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="postings", to="marketplace.invoice"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("queue_id", models.BigIntegerField()),
                ("title", models.CharField(max_length=128)),
                ("task_type", models.CharField(max_length=40)),
                ("answers", models.IntegerField()),
                ("price_micros", models.BigIntegerField()),
                ("amount_micros", models.BigIntegerField()),
                ("fee_micros", models.BigIntegerField()),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="marketplace.invoice"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="VendorListing",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="vendor_listing",
                        serialize=False,
                        to="marketplace.account",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Draft", "Draft"),
                            ("InReview", "In Review"),
                            ("Published", "Published"),
                            ("Refused", "Refused"),
                        ],
                        default="Draft",
                        max_length=10,
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("title", models.CharField(max_length=80)),
                ("description", models.CharField(blank=True, max_length=2000)),
                ("services", models.CharField(blank=True, max_length=500)),
                ("languages", models.JSONField(default=list)),
                ("certifications", models.CharField(blank=True, max_length=500)),
                ("turnaround_hours", models.IntegerField()),
                ("prices", models.JSONField(default=dict)),
                ("holder", models.CharField(blank=True, max_length=70)),
                ("destination", models.CharField(blank=True, max_length=70)),
                ("revision", models.IntegerField(default=1)),
                ("refused_because", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [models.Index(fields=["status", "account"], name="vendor_listing_by_status")],
            },
        ),
        migrations.AddIndex(
            model_name="contract",
            index=models.Index(fields=["vendor", "-id"], name="contract_by_vendor"),
        ),
        migrations.AddIndex(
            model_name="contract",
            index=models.Index(fields=["requester", "-id"], name="contract_by_requester"),
        ),
        migrations.AddIndex(
            model_name="contract",
            index=models.Index(condition=models.Q(("status", "Live")), fields=["ends_on"], name="contract_live_by_end"),
        ),
        migrations.AddIndex(
            model_name="contract",
            index=models.Index(
                condition=models.Q(("next_invoice_at__isnull", False)),
                fields=["next_invoice_at"],
                name="contract_by_next_invoice",
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["Proposed", "Countered"])),
                fields=("requester", "vendor"),
                name="contract_one_negotiated",
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("requester", models.F("vendor")), _negated=True),
                name="contract_between_two_accounts",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["status", "-id"], name="invoice_by_status"),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(fields=("contract", "period_end"), name="invoice_once_per_period"),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(condition=models.Q(("amount_micros__gt", 0)), name="invoice_above_zero"),
        ),
        migrations.AddConstraint(
            model_name="invoiceline",
            constraint=models.UniqueConstraint(
                fields=("invoice", "queue_id", "price_micros"), name="invoice_line_once"
            ),
        ),
    ]
