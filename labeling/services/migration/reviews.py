"""Work teams, worker templates, human task UIs and flow definitions from what was downloaded of A2I.

Each has a name in the account: one of that name is left as it is, so that a second import changes nothing.
"""

from typing import Any

from labeling.formats.aws_folder.descriptions import PRIVATE, PUBLIC
from labeling.formats.aws_folder.things import Thing
from labeling.models import HumanTaskUi, TemplateVersion, WorkerTemplate
from labeling.services.jobs import kept_templates
from labeling.services.migration.plans import FAILED, IMPORTED, LEFT_OUT, THERE, Done, Plan, reasons
from labeling.services.review import flows, task_uis
from marketplace import money
from marketplace.errors import DomainError, Invalid
from marketplace.models import Crowd, Workteam
from marketplace.names import free_name
from marketplace.services import boundaries, workteams

OWN_FOLDER = "human-review"
"""Where output goes below the account's part of the store when the bucket of before is not the account's here."""


def take_in_team(thing: Thing, plan: Plan) -> Done:
    """Make a private team without members, if teams are to be made."""
    if _team_named(plan, thing.name):
        return Done(thing.kind, thing.name, THERE)
    if not plan.make_teams:
        return Done(thing.kind, thing.name, LEFT_OUT, "teams are made with --make-teams")
    try:
        description = thing.data["description"][: workteams.DESCRIPTION_LENGTH.longest]
        workteams.create_team(account=plan.account, name=thing.name, description=description, by=plan.by)
    except DomainError as error:
        return Done(thing.kind, thing.name, FAILED, reasons(error))
    return Done(thing.kind, thing.name, IMPORTED, "without members: invite them on its page")


def take_in_template(thing: Thing, plan: Plan) -> Done:
    """Keep a worker template, for jobs."""
    draft = kept_templates.Draft(text=thing.data["text"], script_hosts=thing.data["hosts"])
    same = TemplateVersion.objects.filter(template__account=plan.account, text=draft.text)
    if found := same.select_related("template").order_by("pk").first():
        return Done(thing.kind, found.template.name, THERE)
    # Many templates are called template.liquid.html.
    taken = WorkerTemplate.objects.filter(account=plan.account).values_list("name", flat=True)
    name = free_name(thing.name, list(taken))
    try:
        kept_templates.create(account=plan.account, name=name, draft=draft, by=plan.by)
    except DomainError as error:
        return Done(thing.kind, name, FAILED, reasons(error))
    return Done(thing.kind, name, IMPORTED)


def take_in_task_ui(thing: Thing, plan: Plan) -> Done:
    """Make a human task UI of its template."""
    found = HumanTaskUi.objects.filter(account=plan.account, name=thing.name).first()
    if found is not None:
        same = found.text == thing.data["content"]
        reason = "" if same else "the account has one of this name with another template; delete or rename it"
        return Done(thing.kind, thing.name, THERE if same else FAILED, reason)
    try:
        task_uis.create_task_ui(account=plan.account, name=thing.name, content=thing.data["content"], by=plan.by)
    except DomainError as error:
        return Done(thing.kind, thing.name, FAILED, reasons(error))
    return Done(thing.kind, thing.name, IMPORTED)


def take_in_flow(thing: Thing, plan: Plan) -> Done:
    """Make a flow definition; its team is named by the plan, or the account has one of its name."""
    if flows.flows(plan.account).filter(name=thing.name).exists():
        return Done(thing.kind, thing.name, THERE)
    try:
        output, said = _output(thing, plan)
        flows.create_flow(account=plan.account, by=plan.by, name=thing.name, output_uri=output, **_values(thing, plan))
    except DomainError as error:
        return Done(thing.kind, thing.name, FAILED, reasons(error))
    return Done(thing.kind, thing.name, IMPORTED, said)


def _values(thing: Thing, plan: Plan) -> dict[str, Any]:
    """The fields of FlowDesign. Raises Invalid or NotFound."""
    loop, data = thing.data["loop"], thing.data
    price = (loop.get("PublicWorkforceTaskPrice") or {}).get("AmountInUsd")
    try:
        price_micros = money.from_aws(price) if price else 0
    except (ValueError, TypeError) as error:
        raise Invalid(str(error), field="PublicWorkforceTaskPrice") from None
    given = {
        "task_time_limit_seconds": loop.get("TaskTimeLimitInSeconds"),
        "task_availability_seconds": loop.get("TaskAvailabilityLifetimeInSeconds"),
        "keywords": loop.get("TaskKeywords"),
    }
    return {
        "workteam": _team(thing, plan),
        "task_ui": task_uis.task_ui(plan.account, data["task_ui"]),
        "title": str(loop["TaskTitle"]),
        "description": str(loop["TaskDescription"]),
        "task_count": loop["TaskCount"],
        "price_micros": price_micros,
        "request_source": data["source"],
        "conditions": data["conditions"],
        "role_arn": data["role"],
        **{name: value for name, value in given.items() if value},
    }


def _team(thing: Thing, plan: Plan) -> Workteam:
    if plan.team is not None:
        return plan.team
    crowd, name = thing.data["team"]
    if crowd == PUBLIC:
        return workteams.public_pool()
    found = _team_named(plan, name)
    if found is None and crowd == PRIVATE and plan.make_teams:
        found = workteams.create_team(account=plan.account, name=name, description="", by=plan.by)
    if found is None:
        reason = f"the account has no team {name}: name one with --team, or have it made with --make-teams"
        raise Invalid(reason, field="workteam")
    return found


def _team_named(plan: Plan, name: str) -> Workteam | None:
    # ARNs have names in small letters.
    return Workteam.objects.filter(account=plan.account, name__iexact=name, crowd=Crowd.PRIVATE).order_by("pk").first()


def _output(thing: Thing, plan: Plan) -> tuple[str, str]:
    """(where output goes, what is to be said of it): as before where the account may write there."""
    before, own = thing.data["output"], f"{boundaries.base_of(plan.account)}/{OWN_FOLDER}"
    try:
        boundaries.require_writable(account=plan.account, uri=before)
    except (DomainError, ValueError):
        return own, f"output goes to {own}, because the account may not write to {before or 'nowhere'}"
    return before, ""
