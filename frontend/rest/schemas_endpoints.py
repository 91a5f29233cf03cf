"""What the API answers about endpoints."""

from rest_framework import serializers as s

from frontend.rest.schemas_trainings import Training
from learning.services.hosting import hosting


class ConfiguredVariant(s.Serializer):
    """A model of a configuration."""

    name = s.CharField()
    model = s.CharField()
    instance_count = s.IntegerField()
    weight = s.FloatField()


class DataCapture(s.Serializer):
    """Which share of the requests and answers is kept, and where."""

    percent = s.IntegerField()
    uri = s.CharField()
    modes = s.ListField(child=s.ChoiceField(hosting.CAPTURE_MODES))


class EndpointConfig(s.Serializer):
    """What an endpoint is to serve."""

    name = s.CharField()
    arn = s.CharField()
    variants = ConfiguredVariant(many=True)
    data_capture = DataCapture(allow_null=True)
    created_at = s.DateTimeField()


class Instance(s.Serializer):
    """A process that serves a variant."""

    status = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    url = s.CharField(allow_null=True)


class ServedVariant(ConfiguredVariant):
    """A model that is served, with the figures of the last hour; `share` is in percent of the endpoint's requests."""

    model = s.CharField(allow_null=True)
    model_id = s.IntegerField(allow_null=True)
    share = s.FloatField()
    instances = Instance(many=True)
    ready = s.IntegerField()
    requests = s.IntegerField()
    errors = s.IntegerField()
    refused = s.IntegerField()
    p50_ms = s.FloatField(allow_null=True)
    p99_ms = s.FloatField(allow_null=True)


class EndpointUpdate(s.Serializer):
    """An update under way: how far it is, and when its next step comes."""

    config = s.CharField(allow_null=True)
    status = s.CharField()
    share = s.IntegerField()
    strategy = s.JSONField()
    next_step_at = s.DateTimeField(allow_null=True)
    variants = ServedVariant(many=True)


class Endpoint(s.Serializer):
    """An endpoint."""

    name = s.CharField()
    arn = s.CharField()
    status = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    config = s.CharField()
    created_at = s.DateTimeField()
    updated_at = s.DateTimeField()
    variants = ServedVariant(many=True)
    update = EndpointUpdate(allow_null=True)


class Predictions(s.Serializer):
    """Rows of [class, score, xmin, ymin, xmax, ymax], best first."""

    prediction = s.ListField(child=s.ListField(child=s.FloatField(), min_length=6, max_length=6))


class EndpointReview(s.Serializer):
    """When requests of an endpoint become human loops, and how many did."""

    flow_definition = s.CharField()
    flow_status = s.CharField()
    conditions = s.JSONField(help_text="the activation conditions that hold")
    least_score = s.FloatField(help_text="from which score people are shown a box")
    content_classifiers = s.ListField(child=s.CharField())
    most_per_hour = s.IntegerField()
    trouble = s.CharField(help_text='why the newest request did not become a loop; "" when it did')
    waiting = s.IntegerField(help_text="requests whose loop has not started yet")
    in_progress = s.IntegerField()
    completed = s.IntegerField()
    failed = s.IntegerField()
    stopped = s.IntegerField()
    taken = s.IntegerField(help_text="requests of the last hour that people are or were to be asked about")
    left_out = s.IntegerField(help_text="requests of the last hour beyond those that may be taken")


class MadeDataset(s.Serializer):
    """A data set that was made."""

    id = s.IntegerField()
    name = s.CharField()


class LeftOutLoop(s.Serializer):
    """A human loop that gave no line of a data set, and why."""

    human_loop = s.CharField()
    reason = s.CharField()


class ReviewTraining(s.Serializer):
    """A training on what people answered, and the data set that it learns from."""

    training_job = Training()
    dataset = MadeDataset()
    left_out = LeftOutLoop(many=True)
