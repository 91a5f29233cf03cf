"""A kind of notices: of policies that improve a model."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0039_aws_requests"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("work.available", "Work available"),
                    ("job.done", "Job done"),
                    ("funds.low", "Low funds"),
                    ("answer.rejected", "Answer rejected"),
                    ("appeal", "Appeal filed or answered"),
                    ("payout", "Payout sent, paid or failed"),
                    ("bonus", "Bonus"),
                    ("flag", "Quality flag, warning or block"),
                    ("qualification", "Qualification"),
                    ("contract", "Vendor contract or invoice"),
                    ("webhook.disabled", "Webhook disabled"),
                    ("improvement", "Continuous improvement of a model"),
                ],
                max_length=30,
            ),
        ),
        migrations.AlterField(
            model_name="noticepreference",
            name="kind",
            field=models.CharField(
                choices=[
                    ("work.available", "Work available"),
                    ("job.done", "Job done"),
                    ("funds.low", "Low funds"),
                    ("answer.rejected", "Answer rejected"),
                    ("appeal", "Appeal filed or answered"),
                    ("payout", "Payout sent, paid or failed"),
                    ("bonus", "Bonus"),
                    ("flag", "Quality flag, warning or block"),
                    ("qualification", "Qualification"),
                    ("contract", "Vendor contract or invoice"),
                    ("webhook.disabled", "Webhook disabled"),
                    ("improvement", "Continuous improvement of a model"),
                ],
                max_length=30,
            ),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="kind",
            field=models.CharField(
                choices=[
                    ("work.available", "Work available"),
                    ("job.done", "Job done"),
                    ("funds.low", "Low funds"),
                    ("answer.rejected", "Answer rejected"),
                    ("appeal", "Appeal filed or answered"),
                    ("payout", "Payout sent, paid or failed"),
                    ("bonus", "Bonus"),
                    ("flag", "Quality flag, warning or block"),
                    ("qualification", "Qualification"),
                    ("contract", "Vendor contract or invoice"),
                    ("webhook.disabled", "Webhook disabled"),
                    ("improvement", "Continuous improvement of a model"),
                ],
                max_length=30,
            ),
        ),
    ]
