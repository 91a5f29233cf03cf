"""The shapes of accuracies, findings and rules, for the OpenAPI document."""

from rest_framework import serializers as s


class Accuracy(s.Serializer):
    """What is believed of a worker's accuracy at a task type; `label` "" is all classes together."""

    task_type = s.CharField()
    label = s.CharField()
    mean = s.FloatField()
    low = s.FloatField(help_text="the lower end of the 90 % interval")
    high = s.FloatField(help_text="its upper end")
    answers = s.FloatField(help_text="evidence that still counts, in answers with a known label")
    pieces = s.IntegerField(help_text="pieces of evidence, whatever their age")


class WorkerAccuracy(Accuracy):
    """The accuracy of one worker of a job."""

    worker = s.CharField()


class ConductAppeal(s.Serializer):
    """A worker's appeal against a finding."""

    state = s.CharField(help_text="Open, Upheld or Denied")
    text = s.CharField()
    filed_at = s.DateTimeField()
    due_at = s.DateTimeField(help_text="when it is upheld if nobody has answered, unless it is against a ban")
    answer = s.CharField(allow_null=True)
    answered_at = s.DateTimeField(allow_null=True)


class MyFinding(s.Serializer):
    """What was found in the caller's conduct, and what followed."""

    id = s.IntegerField()
    rule = s.CharField()
    title = s.CharField()
    action = s.CharField(help_text="Warn, Retrain, Pause, Block or Ban; Note: listed only")
    state = s.CharField(help_text="Active, Done or Dismissed")
    reason = s.CharField()
    queue_id = s.IntegerField(allow_null=True)
    job_title = s.CharField(allow_null=True)
    found_at = s.DateTimeField()
    until = s.DateTimeField(allow_null=True)
    may_appeal = s.BooleanField()
    appeal = ConductAppeal(allow_null=True)


class Finding(MyFinding):
    """What was found in a worker's conduct, with the numbers behind it."""

    worker = s.CharField()
    numbers = s.JSONField()
    found_by = s.CharField()
    closed_at = s.DateTimeField(allow_null=True)
    closed_by = s.CharField(allow_null=True)


class ConductRule(s.Serializer):
    """A rule and what follows from it."""

    rule = s.CharField()
    title = s.CharField()
    states = s.CharField(help_text="its thresholds in words")
    action = s.CharField()
    minutes = s.IntegerField(help_text="of a pause")
    own = s.BooleanField(help_text="chosen here, not a wider setting or the default")


class ConductRules(s.Serializer):
    """Every rule."""

    rules = ConductRule(many=True)
