"""What the API answers about improvement policies."""

from rest_framework import serializers as s

from learning.services.improvement import parameters as known


def _value(one: known.Parameter) -> s.Field:
    if one.range is None:
        return s.BooleanField(help_text=one.help)
    return s.IntegerField(help_text=one.help) if one.whole else s.FloatField(help_text=one.help)


class _Named(s.Serializer):
    """The base of serializers whose members are made from a list."""


ImprovementParameters = type(
    "ImprovementParameters",
    (_Named,),
    {"__doc__": "The parameters of a policy.", **{one.name: _value(one) for one in known.PARAMETERS}},
)


class DriftOfFeature(s.Serializer):
    """Whether one feature of new images differs from that of the training images."""

    feature = s.CharField()
    reference = s.FloatField(help_text="mean over the training images")
    incoming = s.FloatField(help_text="mean over the new images")
    distance = s.FloatField(help_text="Kolmogorov-Smirnov statistic, 0 to 1")
    p = s.FloatField(help_text="corrected for the number of features")
    drifts = s.BooleanField()


class ImprovementPolicyRow(s.Serializer):
    """A policy in a list."""

    name = s.CharField()
    status = s.CharField()
    endpoint = s.CharField(allow_null=True)
    flow_definition = s.CharField()
    location = s.CharField()
    images_uri = s.CharField(help_text="where images are dropped")
    labels = s.ListField(child=s.CharField())
    parameters = ImprovementParameters()
    drifting_since = s.DateTimeField(allow_null=True)
    attention = s.CharField(allow_null=True)
    created_at = s.DateTimeField()


class ImprovementPolicyShown(ImprovementPolicyRow):
    """A policy."""

    live_model = s.CharField(allow_null=True)
    settings = s.JSONField()
    fixed_images = s.IntegerField()
    training_images = s.IntegerField(help_text="those that were given at creation")
    untrained_images = s.IntegerField()
    images = s.DictField(child=s.IntegerField(), help_text="how many are in each state")
    drift = DriftOfFeature(many=True)
    confirm_address = s.CharField(allow_null=True)


class ImprovementPolicyMade(ImprovementPolicyShown):
    """A new policy with the address for reports of stores, which is shown only now."""

    report_address = s.CharField()


class ReportAddress(s.Serializer):
    """Where stores report new images; shown only now."""

    report_address = s.CharField()


class BothModels(s.Serializer):
    """F1 of the new model and of the one that was live."""

    new = s.FloatField(allow_null=True)
    live = s.FloatField(allow_null=True)


class BothSets(s.Serializer):
    """F1 on both test sets."""

    fixed = BothModels()
    fresh = BothModels()


class RunStepShown(s.Serializer):
    """A state that a run came into."""

    state = s.CharField()
    because = s.CharField()
    at = s.DateTimeField()


class ImprovementRun(s.Serializer):
    """A training of a policy and what was decided of it."""

    number = s.IntegerField()
    status = s.CharField()
    title = s.CharField()
    reason = s.CharField(allow_null=True)
    training_job = s.CharField(allow_null=True)
    model = s.CharField(allow_null=True)
    live_model = s.CharField(allow_null=True)
    images = s.IntegerField()
    training_images = s.IntegerField()
    fresh_images = s.IntegerField()
    f1 = BothSets()
    figures = s.JSONField()
    steps = RunStepShown(many=True)
    created_at = s.DateTimeField()
    deployed_at = s.DateTimeField(allow_null=True)
    ended_at = s.DateTimeField(allow_null=True)


class ImprovementImage(s.Serializer):
    """One image: what the model said of it, and people."""

    id = s.IntegerField()
    uri = s.CharField()
    version = s.CharField()
    found_by = s.CharField()
    status = s.CharField()
    reason = s.CharField(allow_null=True)
    model = s.CharField(allow_null=True)
    label = s.CharField()
    confidence = s.FloatField(allow_null=True)
    sampled = s.BooleanField()
    source = s.CharField(allow_null=True)
    human_loop = s.CharField(allow_null=True)
    human_label = s.CharField()
    use = s.CharField(allow_null=True)
    run = s.IntegerField(allow_null=True)
    set_aside = s.BooleanField()
    found_at = s.DateTimeField()
    detected_at = s.DateTimeField(allow_null=True)
    answered_at = s.DateTimeField(allow_null=True)


class Counted(s.Serializer):
    """How many images it was about."""

    images = s.IntegerField()
