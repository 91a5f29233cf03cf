"""The types of this room's rows in notices and events. Stored, so never changed."""

TRAINING_JOB = "training-job"
TRANSFORM_JOB = "transform-job"
TUNING_JOB = "tuning-job"
ENDPOINT = "endpoint"
MODEL = "model-package"
IMPROVEMENT_POLICY = "improvement-policy"
IMPROVEMENT_RUN = "improvement-run"
