"""Human loops: start, stop, delete. How one ends is in advancing.py."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling import transitions
from labeling.models import FlowDefinition, HumanLoop
from labeling.services.jobs import limits
from labeling.services.jobs.design import content_refusal
from labeling.services.queue import advance_requests, batches
from labeling.services.queue.batches import NewTask
from labeling.services.review.task_uis import name_problem
from marketplace import strict
from marketplace.errors import DomainError, InUse, Invalid, NotFound, WrongState
from marketplace.models import Account
from marketplace.ranges import Range
from marketplace.services import audit, quotas

CONTENT_LENGTH = Range(2, 3 * 1024 * 1024)
"""Bytes of InputContent."""

PURPOSE = "human-loop"
"""Of the batch that a loop's task is in."""


def loops(account: Account) -> QuerySet[HumanLoop]:
    """The account's human loops, of deleted flow definitions too."""
    return HumanLoop.objects.filter(account=account).select_related("account", "flow")


def loop(account: Account, name: str) -> HumanLoop:
    """The account's human loop of this name. Raises NotFound."""
    found = loops(account).filter(name=name).first()
    if found is None:
        raise NotFound(f"the account has no human loop {name!r}")
    return found


def start_loop(
    *, flow: FlowDefinition, name: str, content: str, content_classifiers: Sequence[str] = (), by: str
) -> HumanLoop:
    """Ask people; the money for their answers is reserved. A repeat with the same name and input gives the same loop.

    `content`: the JSON text of InputContent, an object. Raises Invalid naming every field that is wrong, InUse for a
    name that another input has, WrongState for a flow definition that is not Active, LimitExceeded when the wallet
    cannot pay, or the account has as many as it may.
    """
    errors = _errors(flow, name, content, content_classifiers)
    if errors:
        raise Invalid("the human loop cannot be started", errors=errors)
    if (before := _same(flow, name, content)) is not None:
        return before
    try:
        with transaction.atomic():
            live = loops(flow.account).exclude(status__in=transitions.HUMAN_LOOP.final)
            quotas.require(account=flow.account, kind="human-loop", rows=live, by=by)
            # The lock keeps the flow definition from being deleted before the loop is there.
            held = FlowDefinition.objects.select_for_update(no_key=True).get(pk=flow.pk)
            if held.status != "Active":
                raise WrongState(f"the flow definition is {held.status}", field="flow_definition")
            made = HumanLoop.objects.create(
                account=flow.account,
                flow=flow,
                name=name,
                content=content,
                content_classifiers=list(content_classifiers),
                created_at=timezone.now(),
                created_by=by,
            )
            shown = {"human_loop": made.pk, "object": None, "width": 0, "height": 0}
            batch = batches.open_batch(
                queue=flow.queue, tasks=[NewTask(shown)], purpose=PURPOSE, by=by, exclusive=False
            )
            made.task = batch.tasks.get()
            made.save(update_fields=["task"])
            audit.record(made, by=by, because="started", to_status=made.status, at=made.created_at)
            transitions.HUMAN_LOOP.begin(made)
    except IntegrityError as error:
        if "human_loop_name_once" not in str(error):
            raise
        found = _same(flow, name, content)
        if found is None:
            raise
        return found
    return made


def _same(flow: FlowDefinition, name: str, content: str) -> HumanLoop | None:
    """The loop that was started by the same request. Raises InUse for the name of another one."""
    found = loops(flow.account).filter(name=name).first()
    if found is not None and (found.flow_id != flow.pk or found.content != content):
        raise InUse(f"the account has a human loop {name!r} already, with another input", field="name")
    return found


def _errors(flow: FlowDefinition, name: str, content: str, content_classifiers: Sequence[str]) -> list[tuple[str, str]]:
    errors = [("name", problem)] if (problem := name_problem(name)) else []
    size = len(content.encode(errors="replace"))
    if size not in CONTENT_LENGTH:
        errors.append(("input_content", f"{size} bytes found, {CONTENT_LENGTH} expected"))
    else:
        try:
            if not isinstance(strict.read_json(content), dict):
                errors.append(("input_content", "a JSON object expected"))
        except strict.NotJson as error:
            errors.append(("input_content", str(error)))
        except DomainError as error:
            errors.append(("input_content", f"{error.field or 'the input'}: {error.message}"))
    return errors + classifier_errors(content_classifiers, public=bool(flow.queue.workteam.public))


def classifier_errors(content_classifiers: Sequence[str], *, public: bool) -> list[tuple[str, str]]:
    """What is wrong with what was certified of the content, for people of the public pool or of a team."""
    errors = []
    for place, one in enumerate(content_classifiers):
        if one not in limits.CONTENT_CLASSIFIERS:
            expected = " or ".join(limits.CONTENT_CLASSIFIERS)
            errors.append((f"content_classifiers[{place}]", f"{one!r} found, {expected} expected"))
    if reason := content_refusal(list(content_classifiers), public=public):
        errors.append(("content_classifiers", reason))
    return errors


def stop_loop(*, loop: HumanLoop, by: str) -> None:
    """Nobody is given its task any more; those who have begun may finish and are paid. Safe to repeat.

    Raises WrongState for a loop that is Completed or Failed.
    """
    with transaction.atomic():
        held = HumanLoop.objects.select_for_update(no_key=True).get(pk=loop.pk)
        if held.status not in ("Stopping", "Stopped"):
            transitions.HUMAN_LOOP.advance(held, "Stopping", by=by, because="stopped by its owner")
            advance_requests.request_advance(held.flow.queue_id)
    loop.refresh_from_db()


def delete_loop(*, loop: HumanLoop, by: str) -> None:
    """Forget a loop that is over; what it has written stays. Raises WrongState for one that is not over."""
    with transaction.atomic():
        held = HumanLoop.objects.select_for_update(no_key=True).get(pk=loop.pk)
        if held.status not in transitions.HUMAN_LOOP.final:
            raise WrongState(f"the human loop is {held.status}: stop it first", field="status")
        audit.record(held, by=by, because=f"deleted {held.name}")
        held.delete()
