from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0003_fair_claims"),
    ]

    operations = [
        migrations.RenameField("learningloop", "nudges", "advance_requests"),
        migrations.AddField(
            model_name="learningloop",
            name="advancing_by",
            field=models.CharField(blank=True, default="", max_length=32),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="learningloop",
            name="advancing_until",
            field=models.DateTimeField(null=True),
        ),
    ]
