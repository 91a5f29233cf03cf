"""The table in which all processes count requests and wrong passwords together."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0005_eligibility")]
    operations = [
        migrations.CreateModel(
            name="RateWindow",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("count", models.BigIntegerField()),
                ("ends_at", models.DateTimeField()),
            ],
        ),
        # Counts of the last minutes need not survive a crash, and without a log a request waits for no disk.
        migrations.RunSQL(
            "ALTER TABLE marketplace_ratewindow SET UNLOGGED", "ALTER TABLE marketplace_ratewindow SET LOGGED"
        ),
    ]
