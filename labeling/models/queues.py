"""The work queue: what people work on, whoever its owner is.

A queue knows the team, what is shown, what is paid and how many answers a task may get. It does not know what the
answers are for: its owner does (a labeling job; later a flow definition or a HIT type), see
labeling/services/queue/owners.py.
"""

from django.db import models

from labeling import redundancy, transitions
from marketplace.addresses import AddressesField
from marketplace.models import Account, Audience, Contract, Employer, Workteam


class WorkQueue(models.Model):
    """Tasks of one kind for one workforce at one price. Money is micro-dollars per answer."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="work_queues")  # who pays
    owner_kind = models.CharField(max_length=30)  # a key of labeling.services.queue.owners.OWNERS
    status = models.CharField(max_length=20, choices=transitions.WORK_QUEUE.choices(), default="Initializing")
    status_changed_at = models.DateTimeField(null=True)

    workteam = models.ForeignKey(Workteam, models.PROTECT, related_name="work_queues")
    # Under which its vendor is paid, where the team is a vendor's.
    contract = models.ForeignKey(Contract, models.PROTECT, null=True, related_name="work_queues")
    # The groups of workers that it admits.
    audience = models.ForeignKey(Audience, models.PROTECT, related_name="work_queues")
    task_type = models.CharField(max_length=40)
    labels = models.JSONField()  # ["bee", ...]: the order is the class index
    # {"wasp": "hornet"}: the names that classes had before, each with the one of today (services/jobs/classes.py). What
    # is stored of answers keeps the names of its time, and is read by TaskType.read_stored.
    earlier_labels = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    # Attributes of the labels and other names for them, see formats/label_config.py; {} where there are none.
    label_category_config = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    title = models.CharField(max_length=128)
    description = models.CharField(max_length=255)
    keywords = models.JSONField(default=list)
    # {"short": html, "full": html, "good_examples": [{"uri", "caption"}], "bad_examples": [...]}
    instructions = AddressesField(default=dict)

    price_micros = models.BigIntegerField(default=0)
    fee_micros = models.BigIntegerField(default=0)  # the platform's share on top of each paid answer
    # The same of a task that shows a pre-label to be checked; null: checking is paid as labeling is. It never rises.
    check_price_micros = models.BigIntegerField(null=True)
    check_fee_micros = models.BigIntegerField(null=True)
    expected_seconds = models.FloatField(default=30)
    # A task opens with `first_seats` seats; its owner may ask for further answers up to `max_seats`.
    first_seats = models.SmallIntegerField(default=5)
    max_seats = models.SmallIntegerField(default=5)
    # Of a hundred tasks so many may get one seat less than `max_seats` (labeling/redundancy.py).
    fewer_percent = models.SmallIntegerField(default=0, db_default=0)
    task_time_limit_seconds = models.IntegerField(default=600)
    task_availability_seconds = models.IntegerField(default=21600)
    max_concurrent_tasks = models.IntegerField(default=1000)
    # Answers are paid after a review, which accepts them by itself after so many days; null: paid at once.
    review_days = models.SmallIntegerField(null=True)
    # "module:function" that decides who may see which object, see services/queue/routing.py; "" for none.
    routing_rule = models.CharField(max_length=200, blank=True, default="", db_default="")
    # The share of tasks whose answer is known, 0 for none; which ones follows from the secret `gold_salt`, 0 while the
    # queue never had any.
    gold_rate = models.FloatField(default=0, db_default=0)
    gold_salt = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_seats__gte=1) & models.Q(first_seats__lte=models.F("max_seats")),
                name="work_queue_seats_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(check_price_micros=None, check_fee_micros=None)
                | models.Q(check_price_micros__gte=0, check_fee_micros__gte=0),
                name="work_queue_check_price_with_fee",
            ),
            models.CheckConstraint(
                condition=models.Q(fewer_percent=0)
                | models.Q(
                    fewer_percent__gt=0,
                    fewer_percent__lt=100,
                    max_seats__gt=1,
                    first_seats=models.F("max_seats"),
                ),
                name="work_queue_fewer_in_range",
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=models.Q(status="InProgress"), name="work_queue_open")]

    @property
    def open(self) -> bool:
        """Whether workers can claim its tasks."""
        return self.status == "InProgress"

    @property
    def live(self) -> bool:
        """Whether its tasks are on offer, or will be again once it is not paused any more."""
        return self.status in ("InProgress", "Paused")

    @property
    def employer(self) -> Employer | None:
        """The vendor that is paid in the place of its workers; costs a query unless `contract` is loaded."""
        return self.contract.employer if self.contract is not None else None

    def opens_with(self, *, checks: bool) -> int:
        """Seats that a task opens with. Where more are opened as they are needed, a model whose label people check
        counts as one of those who answer first."""
        fewer = checks and self.first_seats < self.max_seats
        return max(self.first_seats - fewer, 1)

    def price_of(self, *, checks: bool) -> int:
        """Micro-dollars per answer to a task, whether or not it `checks` a pre-label."""
        return self.check_price_micros if checks and self.check_price_micros is not None else self.price_micros

    def answer_micros(self, *, checks: bool) -> int:
        """The same with the platform's share."""
        fee = self.check_fee_micros if checks and self.check_fee_micros is not None else self.fee_micros
        return self.price_of(checks=checks) + fee

    @property
    def task_micros(self) -> int:
        """The most one task may cost in micro-dollars: every seat it may get, with the fee."""
        return self.max_seats * (self.price_micros + self.fee_micros)

    def opened(self) -> int:
        """How many tasks were opened so far, without golds; 0, and no query, where all tasks get the same answers."""
        return self.tasks.filter(gold=None).count() if self.fewer_percent else 0

    def most_answers(self, tasks: int, *, before: int = 0) -> int:
        """How many answers so many tasks may get that are opened after `before` others, golds not counted."""
        shape = (self.max_seats, self.fewer_percent)
        return redundancy.total(before + tasks, *shape) - redundancy.total(before, *shape)


class AdvanceRequest(models.Model):
    """A waiting message to advance the owner of this queue; while the row exists no second message is sent."""

    queue = models.OneToOneField(WorkQueue, models.CASCADE, primary_key=True, related_name="+")
    requested_at = models.DateTimeField()


class PlannedAdvance(models.Model):
    """When the sweep next requests an advance of the queue's owner; null: not before a change requests one.

    The sweep reads the rows that are due and no others, so its cost does not grow with the number of queues.
    """

    queue = models.OneToOneField(WorkQueue, models.CASCADE, primary_key=True, related_name="+")
    at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["at"], condition=models.Q(at__isnull=False), name="planned_advance_due")]
