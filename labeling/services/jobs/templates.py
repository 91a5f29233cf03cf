"""Worker templates of jobs: what a design may hold, and the page that a template gives for one object.

Knows no HTTP: how a browser reaches what a page shows is an argument.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from labeling.formats import template
from labeling.formats.task_input import task_input
from labeling.formats.template_check import ERROR, check_template
from labeling.models import DataObject, QueueTemplate
from labeling.services.jobs import limits
from labeling.task_types.base import TaskType
from marketplace.errors import Invalid, NotFound
from marketplace.services import boundaries

if TYPE_CHECKING:
    # The design asks this module, and is only read here.
    from labeling.services.jobs.design import Design

HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(:\d{1,5})?")
"""A host name, perhaps with a port: nothing that could add a word to a policy."""


def check_design(design: "Design") -> None:
    """A type that is shown by a template needs one that works; other types take none."""
    if design.kind is None:
        return
    for field, reason in template_errors(design.kind, design.template, design.script_hosts or [], public=design.public):
        design.wrong(field, reason)
    if design.kind.by_template and (design.golds or {}).get("rate"):
        design.wrong("golds.rate", "answers of a form are not compared with a true one: golds must be off")


def template_errors(
    kind: TaskType[Any, Any], content: str, hosts: Sequence[str], *, public: bool
) -> list[tuple[str, str]]:
    """What is wrong with the template of a job of this type, and with the hosts of its scripts: (field, reason)."""
    if not kind.by_template:
        return [("template", f"only a custom job has a template, not {kind.name}")] if content or hosts else []
    wrong = []
    if len(hosts) not in limits.SCRIPT_HOSTS:
        wrong.append(("script_hosts", f"{len(hosts)} found, {limits.SCRIPT_HOSTS} expected"))
    for place, host in enumerate(hosts):
        if not HOST.fullmatch(host):
            wrong.append((f"script_hosts[{place}]", f"{host[:100]!r} found, a host such as cdn.example.org expected"))
    if hosts and public:
        wrong.append(("script_hosts", "templates for the public pool may load scripts from no other host"))
    for one in check_template(content, script_hosts=hosts).findings:
        if one.level == ERROR:
            wrong.append(("template", one.message if one.line is None else f"line {one.line}: {one.message}"))
    return wrong


def page(shown: QueueTemplate, row: DataObject, *, link: Callable[[str, bool], str]) -> str:
    """The page that the template gives for an object, see `rendered`. Needs `line` and `task_input` loaded."""
    made = getattr(row, "task_input", None)
    given = made.value if made is not None else task_input(orjson.loads(row.line.text), shown.queue.labels)
    return rendered(shown, given, link=link, own=row.source_ref)


def rendered(
    shown: QueueTemplate, given: dict[str, Any], *, link: Callable[[str, bool], str], own: str | None = None
) -> str:
    """The page that the template gives for `task.input`. Raises Invalid saying why it gives none.

    `link(uri, of_task)` gives the address at which the browser may read a URI of the store; `of_task` for `own`, the
    image of the object itself, which is given upright. The account of the queue must be able to read the URI. Needs
    `queue` with its account loaded.
    """
    reader = boundaries.Reader(shown.queue.account)

    def grant(uri: str) -> str:
        if uri == own:
            return link(uri, True)
        if reason := reader.refusal(uri):
            raise template.UnreadableUri(reason)
        return link(uri, False)

    try:
        return template.render(shown.text, given, grant_read_access=grant)
    except template.TemplateError as error:
        raise Invalid(f"the template cannot be shown: {error}", field="template") from None


def shown(*, queue_id: int, object_id: int) -> tuple[QueueTemplate, DataObject]:
    """The template of a queue and an object that it shows, as `page` needs them. Raises NotFound."""
    found = of_queue(queue_id)
    row = DataObject.objects.select_related("line", "task_input").filter(pk=object_id, job__queue=queue_id).first()
    if row is None:
        raise NotFound("there is no such page")
    return found, row


def of_queue(queue_id: int) -> QueueTemplate:
    """The template of a queue, with the queue and its account loaded. Raises NotFound."""
    found = QueueTemplate.objects.select_related("queue__account").filter(pk=queue_id).first()
    if found is None:
        raise NotFound("there is no such page")
    return found
