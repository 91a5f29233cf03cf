"""Flow definitions: who reviews what, for which price, and on which conditions. Every rule of CreateFlowDefinition."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from labeling import transitions
from labeling.formats import conditions
from labeling.models import FlowDefinition, HumanTaskUi, QueueTemplate
from labeling.services.jobs import keywords, limits, pricing
from labeling.services.jobs.design import OUTPUT
from labeling.services.queue import advance_requests, queues
from labeling.services.review.owner import KIND
from labeling.services.review.task_uis import TASK_TYPE, name_problem
from marketplace.errors import DomainError, Invalid, NameTaken, NotFound
from marketplace.models import Account, Contract, Workteam
from marketplace.ranges import Range
from marketplace.services import audit, boundaries, contracts, debts, quotas

TASK_COUNT = Range(1, 3)
"""People who look at a human loop (TaskCount)."""

AVAILABILITY_SECONDS = Range(1, 30 * limits.DAY)
"""TaskAvailabilityLifetimeInSeconds of private and vendors' teams; the public pool's is a labeling job's."""

DEFAULT_AVAILABILITY = {True: 6 * limits.HOUR, False: 10 * limits.DAY}
"""The same when it is left out, by whether the team is the public pool."""

DEFAULT_TIME_LIMIT = limits.HOUR
"""TaskTimeLimitInSeconds when it is left out."""

CONDITIONS_LENGTH = Range(0, conditions.MAX_LENGTH)
"""Characters of the JSON of HumanLoopActivationConditions."""


@dataclass(kw_only=True)
class FlowDesign:
    """A flow definition as it was requested; `check` completes the defaults or raises Invalid with every error.

    `conditions`: the JSON text of HumanLoopActivationConditions, "" for none. `price_micros`: micro-dollars an answer.
    """

    account: Account
    name: str
    workteam: Workteam
    task_ui: HumanTaskUi
    title: str
    description: str
    output_uri: str
    task_count: int = 1
    price_micros: int = 0
    expected_seconds: float = 60
    task_time_limit_seconds: int = DEFAULT_TIME_LIMIT
    task_availability_seconds: int | None = None
    keywords: Sequence[str] = ()
    request_source: str = ""
    conditions: str = ""
    role_arn: str = ""
    errors: list[tuple[str, str]] = field(default_factory=list)
    contract: Contract | None = field(default=None, init=False)
    tree: dict[str, Any] = field(default_factory=dict, init=False)

    def check(self) -> None:
        """Raises Invalid listing every field that is wrong."""
        public = bool(self.workteam.public)
        if self.task_availability_seconds is None:
            self.task_availability_seconds = DEFAULT_AVAILABILITY[public]
        if problem := name_problem(self.name):
            self.errors.append(("name", problem))
        for name, allowed in (("title", limits.TITLE_LENGTH), ("description", limits.DESCRIPTION_LENGTH)):
            if len(getattr(self, name).strip()) not in allowed:
                self.errors.append((name, f"a text of {allowed} characters expected"))
        available = limits.PUBLIC_AVAILABILITY_SECONDS if public else AVAILABILITY_SECONDS
        for name, allowed in (
            ("task_count", TASK_COUNT),
            ("task_time_limit_seconds", limits.TASK_TIME_LIMIT_SECONDS),
            ("task_availability_seconds", available),
        ):
            if getattr(self, name) not in allowed:
                self.errors.append((name, f"{getattr(self, name)!r} found, {allowed} expected"))
        if self.expected_seconds not in limits.EXPECTED_SECONDS:
            self.errors.append(("expected_seconds", f"{self.expected_seconds} found, {limits.EXPECTED_SECONDS} wanted"))
        self.errors += keywords.problems(list(self.keywords), [])
        self._check_team()
        self._check_conditions()
        self._check_output()
        if self.errors:
            names = ", ".join(dict.fromkeys(name for name, _ in self.errors))
            raise Invalid(f"the flow definition cannot be created, these are wrong: {names}", errors=self.errors)

    def _check_team(self) -> None:
        try:
            if self.workteam.of_vendor:
                self.contract, self.price_micros = pricing.contract_price(
                    team=self.workteam, requester=self.account, task_type=TASK_TYPE, price_micros=self.price_micros
                )
                return
        except DomainError as error:
            # The task type is none of the fields of a flow definition: the team is what cannot be had.
            self.errors.append(("price" if error.field == "price" else "workteam", error.message))
            return
        if not self.workteam.public and self.workteam.account_id != self.account.pk:
            self.errors.append(("workteam", "there is no such team in the account"))
        try:
            public, panel = bool(self.workteam.public), self.workteam.is_panel
            pricing.check_price(price_micros=self.price_micros, task_type=TASK_TYPE, public=public, panel=panel)
        except Invalid as error:
            self.errors.append(("price", error.message))

    def _check_conditions(self) -> None:
        if not self.conditions:
            return
        try:
            self.tree = conditions.parse(self.conditions, source=self.request_source or None)
        except conditions.ConditionsError as error:
            self.errors.append((f"conditions.{error.field}", error.problem))

    def _check_output(self) -> None:
        if not OUTPUT.fullmatch(self.output_uri):
            self.errors.append(("output_uri", f"{self.output_uri[:200]!r} found, an s3:// address expected"))
            return
        try:
            boundaries.require_writable(account=self.account, uri=self.output_uri)
        except (ValueError, DomainError) as error:
            self.errors.append(("output_uri", str(error)))


def flows(account: Account) -> QuerySet[FlowDefinition]:
    """The account's flow definitions, without those that were deleted."""
    rows = FlowDefinition.objects.filter(account=account).exclude(status="Deleting")
    return rows.select_related("account", "queue__workteam", "human_task_ui")


def flow(account: Account, name: str) -> FlowDefinition:
    """The account's flow definition of this name. Raises NotFound."""
    found = flows(account).filter(name=name).first()
    if found is None:
        raise NotFound(f"the account has no flow definition {name!r}")
    return found


def create_flow(*, account: Account, by: str, **values: Any) -> FlowDefinition:
    """Create a flow definition, Active at once; `values` are the fields of FlowDesign.

    Raises Invalid naming every field that is wrong, NameTaken, LimitExceeded, AccountOwes while the account owes money.
    """
    design = FlowDesign(account=account, **values)
    design.check()
    try:
        with transaction.atomic():
            quotas.require(account=account, kind="flow-definition", rows=flows(account))
            debts.require_none(account)
            if design.contract is not None:
                # Locked, so that the contract does not end while the flow definition is made.
                contracts.live_contract(team=design.workteam, requester=account, keep=True)
            made = _make(design, by)
            audit.record(made, by=by, because="created", to_status=made.status)
            transitions.FLOW_DEFINITION.begin(made)
            transitions.FLOW_DEFINITION.advance(made, "Active", by=by, because="ready for human loops")
            queues.open_queue(made.queue, by=by, because="ready for human loops")
    except IntegrityError as error:
        if "flow_definition_name_once" not in str(error):
            raise
        raise NameTaken(f"the account has a flow definition {design.name!r} already", field="name") from None
    return made


def _make(design: FlowDesign, by: str) -> FlowDefinition:
    queue = queues.create_queue(
        account=design.account,
        owner_kind=KIND,
        workteam=design.workteam,
        contract=design.contract,
        task_type=TASK_TYPE,
        labels=[],
        title=design.title.strip(),
        description=design.description.strip(),
        keywords=list(design.keywords),
        price_micros=design.price_micros,
        fee_micros=pricing.fee(design.price_micros),
        expected_seconds=design.expected_seconds,
        first_seats=design.task_count,
        max_seats=design.task_count,
        task_time_limit_seconds=design.task_time_limit_seconds,
        task_availability_seconds=design.task_availability_seconds,
    )
    QueueTemplate.objects.create(queue=queue, text=design.task_ui.text)
    return FlowDefinition.objects.create(
        account=design.account,
        name=design.name,
        queue=queue,
        human_task_ui=design.task_ui,
        human_task_ui_name=design.task_ui.name,
        request_source=design.request_source,
        conditions=design.tree,
        output_uri=design.output_uri,
        role_arn=design.role_arn,
        created_by=by,
    )


def delete_flow(*, flow: FlowDefinition, by: str) -> None:
    """No new loops start, and the name is free again; people finish the loops that run. Safe to repeat."""
    with transaction.atomic():
        transitions.FLOW_DEFINITION.advance(flow, "Deleting", by=by, because="deleted by its owner")
        advance_requests.request_advance(flow.queue_id)
