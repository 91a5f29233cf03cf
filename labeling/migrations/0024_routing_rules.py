"""A routing rule of a queue, and the state of a seat that it took back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0023_qualification_tests")]
    operations = [
        migrations.AddField(
            model_name="workqueue",
            name="routing_rule",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AlterField(
            model_name="assignment",
            name="state",
            field=models.CharField(
                choices=[
                    ("Leased", "Leased"),
                    ("Submitted", "Submitted"),
                    ("Returned", "Returned"),
                    ("Expired", "Expired"),
                    ("Declined", "Declined"),
                    ("Rejected", "Rejected"),
                    ("Withheld", "Withheld"),
                    ("Cancelled", "Cancelled"),
                ],
                default="Leased",
                max_length=10,
            ),
        ),
    ]
