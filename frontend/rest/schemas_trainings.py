"""What the API shows of the curves and the samples of a training."""

from rest_framework import serializers as s


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
