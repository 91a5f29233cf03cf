"""The types of this room's rows in notices. Stored, so never changed."""

TRAINING_JOB = "training-job"
TRANSFORM_JOB = "transform-job"
TUNING_JOB = "tuning-job"
ENDPOINT = "endpoint"
IMPROVEMENT_POLICY = "improvement-policy"
