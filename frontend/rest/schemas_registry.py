"""The shapes of answers about groups, imports and comparisons of models, and about predictions over data sets."""

from rest_framework import serializers as s


class ModelGroup(s.Serializer):
    """The versions of one detector."""

    id = s.IntegerField()
    name = s.CharField()
    versions = s.IntegerField()
    created_at = s.DateTimeField()


class ModelImport(s.Serializer):
    """A detector that is being taken in."""

    id = s.IntegerField()
    name = s.CharField()
    status = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    model = s.IntegerField(allow_null=True)
    created_at = s.DateTimeField()
    ended_at = s.DateTimeField(allow_null=True)


class ComparedFigure(s.Serializer):
    """A figure of two models."""

    name = s.CharField()
    left = s.FloatField(allow_null=True)
    right = s.FloatField(allow_null=True)
    difference = s.FloatField(allow_null=True)


class DifferentImage(s.Serializer):
    """An image about which two models disagree; boxes as [class name, left, top, width, height, score]."""

    index = s.IntegerField()
    image_uri = s.CharField()
    width = s.IntegerField()
    height = s.IntegerField()
    differ = s.IntegerField()
    left = s.ListField(child=s.JSONField())
    right = s.ListField(child=s.JSONField())


class Differences(s.Serializer):
    """Where two models disagree over a data set."""

    images = s.IntegerField()
    differ = s.IntegerField()
    boxes = s.IntegerField()
    worst = DifferentImage(many=True)


class ModelComparison(s.Serializer):
    """Two models side by side; `differences` once both have predicted the data set."""

    figures = ComparedFigure(many=True)
    same_validation = s.BooleanField()
    left_transform = s.IntegerField(allow_null=True)
    right_transform = s.IntegerField(allow_null=True)
    differences = Differences(allow_null=True)


class Transform(s.Serializer):
    """A prediction over a data set."""

    id = s.IntegerField()
    name = s.CharField()
    status = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    model = s.IntegerField()
    dataset = s.IntegerField(allow_null=True)
    label_attribute_name = s.CharField(allow_null=True)
    hyperparameters = s.JSONField()
    progress = s.FloatField()
    parts = s.DictField(child=s.CharField())
    created_at = s.DateTimeField()
    started_at = s.DateTimeField(allow_null=True)
    ended_at = s.DateTimeField(allow_null=True)
