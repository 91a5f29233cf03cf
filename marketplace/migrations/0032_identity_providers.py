"""Identity providers of accounts, by which their people sign in."""

import django.db.models.deletion
from django.db import migrations, models

import marketplace.models.identity


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0030_stripe_payments")]
    operations = [
        migrations.CreateModel(
            name="IdentityProvider",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.CharField(default=marketplace.models.identity.new_slug, max_length=63, unique=True)),
                ("name", models.CharField(max_length=40)),
                ("issuer", models.CharField(max_length=300)),
                ("client_id", models.CharField(max_length=190)),
                ("client_secret", models.TextField()),
                ("domains", models.JSONField(default=list)),
                (
                    "status",
                    models.CharField(
                        choices=[("InReview", "In Review"), ("Active", "Active"), ("Disabled", "Disabled")],
                        default="InReview",
                        max_length=10,
                    ),
                ),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identity_providers",
                        to="marketplace.account",
                    ),
                ),
                (
                    "workteam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.workteam"
                    ),
                ),
            ],
        ),
    ]
