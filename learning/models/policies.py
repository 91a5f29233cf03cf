"""Continuous improvement: policies on detectors, the images they met, and the trainings that followed."""

from django.db import models
from django.db.models import Q

from labeling.models import FlowDefinition, HumanLoop
from learning import transitions
from learning.models.advanced import Advanced
from learning.models.hosting import Deployment, Endpoint
from learning.models.registry import Model
from learning.models.training import TrainingJob
from marketplace.addresses import AddressField
from marketplace.models import Account

FOLLOWED_RUNS = [
    "InitiateTraining", "CreateManifest", "CreateProjectVersion", "WaitForTraining", "TrainingCompleted", "Evaluation",
    "StartModel", "WaitForStart", "ModelStarted", "DeployEndpoint", "RollingBack",
]  # fmt: skip
"""The states of a run that keep another one from starting; one whose model is only watched does not."""


class ImprovementPolicy(Advanced):
    """What keeps the detector of an endpoint improving.

    `parameters` by AWS's names, see services/improvement/parameters.py. `settings`: what is fixed at creation and
    AWS's solution does not have, see services/improvement/creating.py. `labels`: the classes in the order of their
    numbers; it only ever grows. `location` has the folders `images_for_detection`, `manifests` and `evaluation`.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    name = models.CharField(max_length=63)
    status = models.CharField(max_length=20, choices=transitions.IMPROVEMENT_POLICY.choices(), default="Active")
    status_changed_at = models.DateTimeField(null=True)
    endpoint = models.ForeignKey(Endpoint, models.SET_NULL, null=True, related_name="improvement_policies")
    flow = models.ForeignKey(FlowDefinition, models.PROTECT, related_name="+")
    location = AddressField(max_length=1024)
    parameters = models.JSONField()
    settings = models.JSONField()
    labels = models.JSONField()
    # The copies of the test set and of the training set that were given at creation; the second may be missing.
    fixed_uri = AddressField(max_length=1024)
    base_uri = AddressField(max_length=1024, blank=True)
    fixed_images = models.IntegerField(default=0)
    base_images = models.IntegerField(default=0)
    # Of the address to which stores report new images; only its hash is kept.
    token_hash = models.CharField(max_length=64, unique=True)
    # Where Amazon SNS wants its subscription confirmed, until its first report comes.
    confirm_address = models.CharField(max_length=1024, blank=True)
    # The image after which the listing goes on, "" at its beginning, and when it last came to its end.
    listing_after = AddressField(max_length=1024, blank=True)
    listed_at = models.DateTimeField(null=True)
    training_checked_at = models.DateTimeField(null=True)
    sampled_at = models.DateTimeField(null=True)
    # The newest detection that the sampling has counted, and how many it has counted since its last sample.
    sampled_up_to = models.BigIntegerField(default=0)
    since_sample = models.IntegerField(default=0)
    # Whether the number of inference units was changed and the endpoint does not follow yet.
    units_pending = models.BooleanField(default=False)
    # {"model": id, "places": next image, "rows": [[feature, ...]]}: the features of the training images.
    reference = models.JSONField(default=dict)
    drift = models.JSONField(default=dict)
    drift_checked_at = models.DateTimeField(null=True)
    drifting_since = models.DateTimeField(null=True)
    attention = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="improvement_policy_name_once")]


class PolicyRun(models.Model):
    """One training of a policy with what became of it.

    `figures`: {"fixed": {"new": {...}, "live": {...}}, "fresh": {...}, "watch": [...]}, see services/improvement.
    `images`: how many images had gathered; `training_images` how many it learned from, those given at creation too.
    """

    policy = models.ForeignKey(ImprovementPolicy, models.CASCADE, related_name="runs", db_index=False)
    number = models.IntegerField()
    status = models.CharField(max_length=30, choices=transitions.POLICY_RUN.choices(), default="InitiateTraining")
    status_changed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1024, blank=True)
    training_job = models.OneToOneField(TrainingJob, models.SET_NULL, null=True, related_name="policy_run")
    model = models.ForeignKey(Model, models.SET_NULL, null=True, related_name="+")
    live_model = models.ForeignKey(Model, models.SET_NULL, null=True, related_name="+")
    deployment = models.ForeignKey(Deployment, models.SET_NULL, null=True, related_name="+")
    deployed_at = models.DateTimeField(null=True)
    manifest_uri = AddressField(max_length=1024, blank=True)
    fresh_uri = AddressField(max_length=1024, blank=True)
    images = models.IntegerField(default=0)
    fresh_images = models.IntegerField(default=0)
    training_images = models.IntegerField(default=0)
    figures = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="policy_run_number_once"),
            models.UniqueConstraint(fields=["policy"], condition=Q(status__in=FOLLOWED_RUNS), name="policy_run_once"),
        ]

    @property
    def account(self) -> Account:
        """That of its policy."""
        return self.policy.account


class RunStep(models.Model):
    """A state that a run came into, and why."""

    run = models.ForeignKey(PolicyRun, models.CASCADE, related_name="steps")
    state = models.CharField(max_length=30)
    because = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()


class Use(models.TextChoices):
    """What an answered image is used for; a fresh one is only ever tested on."""

    TRAIN = "train"
    FRESH = "fresh"


class Detection(models.Model):
    """One image of a policy: what the endpoint said of it, and people.

    `version`: the store's version of the object, or its ETag. `confidence` 0 to 100. `boxes`: [[class, left, top,
    width, height, score]] in pixels; `truth` the same without scores, null until people have answered. `features`:
    services/improvement/features.py. `run`: the first one that used it. `set_aside`: of a run whose model was refused
    or taken back as worse, and no part of later trainings.
    """

    policy = models.ForeignKey(ImprovementPolicy, models.CASCADE, related_name="detections", db_index=False)
    uri = AddressField(max_length=1024)
    version = models.CharField(max_length=200)
    found_by = models.CharField(max_length=12, choices=[("poll", "poll"), ("event", "event")])
    status = models.CharField(max_length=20, choices=transitions.DETECTION.choices(), default="Found")
    status_changed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    model = models.ForeignKey(Model, models.SET_NULL, null=True, related_name="+")
    label = models.CharField(max_length=256, blank=True)
    confidence = models.FloatField(null=True)
    width = models.IntegerField(null=True)
    height = models.IntegerField(null=True)
    boxes = models.JSONField(default=list)
    features = models.JSONField(default=dict)
    sampled = models.BooleanField(default=False)
    source = models.CharField(max_length=20, blank=True)
    human_loop = models.OneToOneField(HumanLoop, models.SET_NULL, null=True, related_name="detection")
    human_label = models.CharField(max_length=256, blank=True)
    truth = models.JSONField(null=True)
    agreement = models.FloatField(null=True)
    use = models.CharField(max_length=10, choices=Use, blank=True)
    run = models.ForeignKey(PolicyRun, models.SET_NULL, null=True, related_name="detections")
    set_aside = models.BooleanField(default=False)
    found_at = models.DateTimeField(auto_now_add=True)
    detected_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["policy", "uri", "version"], name="detection_of_a_version_once")]
        indexes = [models.Index(fields=["policy", "status", "id"], name="detection_by_status")]
