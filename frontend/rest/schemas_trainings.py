"""What the API shows of trainings, their curves and their samples."""

from rest_framework import serializers as s

from learning import samples


class Channel(s.Serializer):
    """All that was given of a channel: of a model its name."""

    manifest_uri = s.CharField(required=False)
    uri = s.CharField(required=False)
    content_type = s.CharField(required=False)
    input_mode = s.CharField(required=False)
    images_uri = s.CharField(required=False)
    attribute_names = s.ListField(child=s.CharField(), required=False)
    name = s.CharField(required=False)
    renamed = s.JSONField(required=False)


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
    model = s.IntegerField(allow_null=True)
    created_at = s.DateTimeField()
    started_at = s.DateTimeField(allow_null=True)
    ended_at = s.DateTimeField(allow_null=True)


class TrainingDetail(Training):
    """A training with its channels, its newest figures and its curves by name."""

    channels = s.DictField(child=Channel())
    newest = s.DictField(child=s.FloatField(), help_text="the last value of each metric")
    seconds_left = s.FloatField(allow_null=True, help_text="by its speed of late")
    metrics = s.DictField(child=s.ListField(child=s.JSONField()))


class Curves(s.Serializer):
    """Curves by the names of their metrics."""

    metrics = s.DictField(child=s.ListField(child=s.JSONField()), help_text="each point: step, epoch, value, at")


class SampleShape(s.Serializer):
    """A box in pixels of the original picture, a class of the whole picture, or the pixels of a class."""

    label = s.CharField()
    left = s.FloatField(required=False)
    top = s.FloatField(required=False)
    width = s.FloatField(required=False)
    height = s.FloatField(required=False)
    score = s.FloatField(
        required=False,
        allow_null=True,
        help_text="of boxes and classes: how sure the model is, 0 to 1; null for the truth",
    )
    counts = s.CharField(
        required=False, help_text="of masks: COCO's run lengths, in a picture of the image's width and height"
    )


class SampleImage(s.Serializer):
    """A picture of the validation split, with the labels that people gave it.

    Width and height are those of the original in pixels; with masks those of the masks, which are smaller.
    """

    image_url = s.CharField()
    width = s.IntegerField()
    height = s.IntegerField()
    truth = SampleShape(many=True)


class SampleEvaluation(s.Serializer):
    """What the model found after so many steps: a list for each picture, in their order."""

    step = s.IntegerField()
    epoch = s.IntegerField()
    found = s.ListField(child=SampleShape(many=True))


class Samples(s.Serializer):
    """Sample predictions of a training beside the truth; `kind`: what the model finds."""

    kind = s.ChoiceField(samples.KINDS)
    images = SampleImage(many=True)
    evaluations = SampleEvaluation(many=True)
