"""The example pictures of a job being designed: uploaded, checked, shown again. They live in the wizard's draft."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as word

from frontend import uploads
from labeling.services.intake import decoding
from labeling.services.jobs import limits
from marketplace.models import Account

GOOD = word("At most {most} good examples can be shown, {count} were chosen.")
BAD = word("At most {most} bad examples can be shown, {count} were chosen.")
KINDS = dict(zip(limits.EXAMPLE_KINDS, (GOOD, BAD), strict=True))


def take(request: HttpRequest, account: Account, saved: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Put the examples chosen now, or else those of the draft, into `saved`; returns what is wrong with them."""
    problems: list[str] = []
    for kind, too_many in KINDS.items():
        kept = [] if request.POST.get(f"remove_{kind}") else before.get(kind, [])
        files = request.FILES.getlist(kind)
        wrong = [problem for file in files if (problem := _problem(file))]
        if len(files) not in limits.EXAMPLES:
            wrong = [gettext(too_many).format(most=limits.EXAMPLES.longest, count=len(files))]
        problems += wrong
        saved[kind] = _store(account, files) if files and not wrong else kept
    return problems


def _problem(file: UploadedFile) -> str:
    info = decoding.inspect(file.read(decoding.limits().max_bytes + 1))
    file.seek(0)
    if info.ok:
        return ""
    return gettext("The example {name} cannot be shown: {problem}.").format(name=file.name, problem=info.problem)


def _store(account: Account, files: list[UploadedFile]) -> list[dict[str, str]]:
    _, root = uploads.folder_uri(account)
    return [{"uri": file.uri, "caption": ""} for file in uploads.store_files(root, files)]


def shown(task: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    """The draft's examples by kind, as the worker's page takes them."""
    return {
        kind: [
            {"image_url": reverse("requester:job-new-example", args=[kind, number]), "caption": example["caption"]}
            for number, example in enumerate(task.get(kind, []))
        ]
        for kind in KINDS
    }
