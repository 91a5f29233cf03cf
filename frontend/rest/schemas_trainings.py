"""What the API shows of trainings."""

from rest_framework import serializers as s


class Training(s.Serializer):
    """A training."""

    id = s.IntegerField()
    name = s.CharField()
    status = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    hyperparameters = s.JSONField()
    progress = s.FloatField()
    objective = s.FloatField(allow_null=True, help_text="validation:mAP of the last evaluation, 0 to 1")
    seconds = s.FloatField(allow_null=True, help_text="since its first start")
    seconds_left = s.FloatField(allow_null=True, help_text="by its speed of late")
    model = s.IntegerField(allow_null=True)
    created_at = s.DateTimeField()
    started_at = s.DateTimeField(allow_null=True)
    ended_at = s.DateTimeField(allow_null=True)


class TrainingDetail(Training):
    """A training with its channels, its newest figures and its curves by name."""

    channels = s.JSONField()
    newest = s.DictField(child=s.FloatField(), help_text="the last value of each metric")
    metrics = s.DictField(child=s.ListField(child=s.JSONField()))


class Curves(s.Serializer):
    """Curves by the names of their metrics."""

    metrics = s.DictField(child=s.ListField(child=s.JSONField()), help_text="each point: step, epoch, value, at")


class SampleBox(s.Serializer):
    """A box in pixels of the original picture."""

    label = s.CharField()
    left = s.FloatField()
    top = s.FloatField()
    width = s.FloatField()
    height = s.FloatField()
    score = s.FloatField(allow_null=True, help_text="how sure the model is, 0 to 1; null for the truth")


class SampleImage(s.Serializer):
    """A picture of the validation split, with the labels that people gave it."""

    image_url = s.CharField()
    width = s.IntegerField()
    height = s.IntegerField()
    truth = SampleBox(many=True)


class SampleEvaluation(s.Serializer):
    """What the model found after so many steps: a list of boxes for each picture, in their order."""

    step = s.IntegerField()
    epoch = s.IntegerField()
    found = s.ListField(child=SampleBox(many=True))


class Samples(s.Serializer):
    """Sample predictions of a training beside the truth."""

    images = SampleImage(many=True)
    evaluations = SampleEvaluation(many=True)
