import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0022_program_starts"),
    ]

    operations = [
        migrations.AddField(
            model_name="learningloop",
            name="look_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now
            ),
        ),
        migrations.AddIndex(
            model_name="learningloop",
            index=models.Index(
                condition=models.Q(("status", "InProgress")), fields=["look_at"], name="learning_loop_due"
            ),
        ),
    ]
