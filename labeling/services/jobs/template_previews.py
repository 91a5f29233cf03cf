"""A worker template tried on a sample before any job uses it: what will not work, and the page that it gives.

Knows no HTTP: how a browser reaches what a page shows is an argument.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Any

from labeling.formats import template
from labeling.formats.task_input import task_input
from labeling.formats.template_check import Report, check_template
from marketplace.errors import Invalid
from marketplace.models import Account
from marketplace.services import boundaries

PICTURE = "s3://meadow/1.jpg"
"""The address in the samples of the gallery, which stands for a small picture where a template is tried."""

_DRAWN = """<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480" viewBox="0 0 640 480">
<rect width="640" height="480" fill="#bfe3f5"/><path d="M0 330q160-60 320 0t320 0v150H0z" fill="#7fb45a"/>
<g fill="#e9b949" stroke="#3a2d0c" stroke-width="4"><ellipse cx="25" cy="40" rx="15" ry="20"/>
<ellipse cx="240" cy="130" rx="40" ry="30"/><path d="M220 105v50m20-55v60m20-55v50"/></g>
<g fill="#c9352d"><circle cx="420" cy="360" r="34"/><circle cx="520" cy="390" r="26"/><circle cx="130" cy="400" r="24"/>
</g></svg>"""
PICTURE_URL = f"data:image/svg+xml;base64,{base64.b64encode(_DRAWN.encode()).decode()}"


def input_of(sample: dict[str, Any]) -> dict[str, Any]:
    """`task.input` of a sample: the sample itself, or what a job makes of a line of a manifest.

    A line may have a list `labels`, which then are those of the job.
    """
    if "taskObject" in sample or not {"source-ref", "source"} & sample.keys():
        return sample
    labels = sample.get("labels")
    return task_input(sample, [str(one) for one in labels] if isinstance(labels, list) else [])


def check(*, account: Account, content: str, sample: dict[str, Any] | None, script_hosts: Sequence[str]) -> Report:
    """What in a template will not work here; without a sample fewer mistakes are found."""
    given = None if sample is None else input_of(sample)
    access = _access(account, lambda uri: uri)
    return check_template(content, task_input=given, script_hosts=script_hosts, grant_read_access=access)


def page(*, account: Account, content: str, sample: dict[str, Any], link: Callable[[str], str]) -> str:
    """The page that a template gives for a sample. Raises Invalid saying why it gives none.

    `link(uri)` gives the address at which the browser may read a URI of the store, which the account can read.
    """
    try:
        return template.render(content, input_of(sample), grant_read_access=_access(account, link))
    except template.TemplateError as error:
        raise Invalid(f"the template cannot be shown: {error}", field="template") from None


def _access(account: Account, link: Callable[[str], str]) -> template.ReadAccess:
    reader = boundaries.Reader(account)

    def grant(uri: str) -> str:
        if uri == PICTURE:
            return PICTURE_URL
        if reason := reader.refusal(uri):
            raise template.UnreadableUri(reason)
        return link(uri)

    return grant
