"""The example pictures of a job being designed: taken in, checked, shown again. They live in the wizard's draft."""

import uuid
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.urls import reverse

from frontend.rest.datasets import safe_name, uploads_root
from labeling.formats import images
from marketplace import storage
from marketplace.models import Account

KINDS = {"good_examples": "good", "bad_examples": "bad"}
MOST = 4


def take(request: HttpRequest, account: Account, saved: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Put the examples just chosen into `saved`, else those there were before; returns what is wrong with them."""
    problems: list[str] = []
    for kind, word in KINDS.items():
        kept = [] if request.POST.get(f"remove_{kind}") else before.get(kind, [])
        files = request.FILES.getlist(kind)
        wrong = [problem for file in files if (problem := _problem(file))]
        if len(files) > MOST:
            wrong = [f"At most {MOST} {word} examples can be shown, {len(files)} were chosen."]
        problems += wrong
        saved[kind] = _store(account, files) if files and not wrong else kept
    return problems


def _problem(file: UploadedFile) -> str:
    limits = images.Limits(settings.IMAGE_MAX_BYTES, settings.IMAGE_MAX_PIXELS)
    info = images.inspect(file.read(settings.IMAGE_MAX_BYTES + 1), limits)
    file.seek(0)
    return "" if info.ok else f"The example {file.name} cannot be shown: {info.problem}."


def _store(account: Account, files: list[UploadedFile]) -> list[dict[str, str]]:
    root = storage.join(uploads_root(account), uuid.uuid4().hex)
    stored = []
    for number, file in enumerate(files):
        uri = storage.join(root, f"{number}-{safe_name(file.name or 'example')}")
        storage.write(uri, file.file, content_type="application/octet-stream")
        stored.append({"uri": uri, "caption": ""})
    return stored


def shown(task: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    """The draft's examples by kind, as the worker's page takes them."""
    return {
        kind: [
            {"image_url": reverse("requester:job-new-example", args=[kind, number]), "caption": example["caption"]}
            for number, example in enumerate(task.get(kind, []))
        ]
        for kind in KINDS
    }
