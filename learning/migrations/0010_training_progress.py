from django.db import migrations, models

# The newest point of each curve of the trainings that there are.
NEWEST = """
UPDATE learning_trainingjob AS job
SET newest = points.newest
FROM (
    SELECT training_job_id, jsonb_object_agg(name, jsonb_build_array(value, step, at)) AS newest
    FROM (
        SELECT DISTINCT ON (training_job_id, name) training_job_id, name, value, step, at
        FROM learning_trainingmetric
        ORDER BY training_job_id, name, step DESC
    ) AS last
    GROUP BY training_job_id
) AS points
WHERE points.training_job_id = job.id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0009_endpoints"),
    ]

    operations = [
        migrations.AddField("trainingjob", "created_by", models.CharField(blank=True, default="", max_length=120)),
        migrations.AddField("trainingjob", "newest", models.JSONField(default=dict)),
        migrations.AddField("transformjob", "created_by", models.CharField(blank=True, default="", max_length=120)),
        migrations.RunSQL(NEWEST, migrations.RunSQL.noop),
    ]
