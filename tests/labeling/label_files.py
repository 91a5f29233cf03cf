"""Builders of label files with images, and of label imports that are carried out at once."""

import io
import itertools
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from labeling.formats.augmented_reading import read_boxes
from labeling.models import Dataset, ImportedLine, LabelImport, LabelingJob
from labeling.services.imports import advancing, creating
from labeling.services.intake import datasets
from labeling.services.jobs import advancing as jobs
from labeling.services.jobs import creation
from marketplace import storage
from marketplace.models import Account
from marketplace.services import boundaries
from tests import builders
from tests.labeling import stories

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
SIZE = (100, 50)
"""Pixels of the images that the field cases are about."""

BEE = {"bbox": [10, 10, 20, 20]}
"""An annotation of COCO."""

_numbers = itertools.count(1)


def case(name: str) -> dict[str, bytes]:
    """The files of a field case by name, `__` standing for a folder; skips the test where the cases are absent."""
    folder = CASES / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return {
        path.name.replace("__", "/"): path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "README"
    }


def picture(size: tuple[int, int] = SIZE, **options: Any) -> bytes:
    """An image of the size."""
    return builders.image_bytes(size=size, number=next(_numbers), **options)


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    """A zip file with these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def coco(*annotations: Mapping[str, Any], **members: Any) -> bytes:
    """A COCO document about a.jpg (100 x 50) with the class bee; `members` replace its lists."""
    listed = [{"id": n + 1, "image_id": 1, "category_id": 1, "iscrowd": 0, **one} for n, one in enumerate(annotations)]
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50}],
        "categories": [{"id": 1, "name": "bee"}],
        "annotations": listed,
    }
    return json.dumps(document | members).encode()


def stored(account: Account, content: bytes, name: str = "labels.zip") -> str:
    """The address of a file in the account's uploads."""
    uri = storage.join(boundaries.base_of(account), "uploads", f"labels-{next(_numbers)}", name)
    storage.write(uri, content)
    return uri


def an_import(account: Account, content: bytes, **options: Any) -> LabelImport:
    """A label import that has ended, and the data set it made, if any."""
    given = {"name": f"imported-{next(_numbers)}"} if "job" not in options else {"purpose": "golds"}
    row = creating.create_import(account=account, by="user:1", uri=stored(account, content), **given, **options)
    advancing.advance_import(row.pk)
    row.refresh_from_db()
    if row.dataset is not None:
        datasets.advance_dataset(row.dataset.pk)
        row.dataset.refresh_from_db()
    return row


def of_zip(account: Account, members: Mapping[str, bytes | str], **options: Any) -> LabelImport:
    """The import of a zip with these members."""
    return an_import(account, zipped(members), **options)


def a_named_dataset(account: Account, names: Mapping[str, bytes]) -> Dataset:
    """A data set of images with these names."""
    archive = stored(account, zipped(names), "pictures.zip")
    return builders.a_dataset(account=account, kind="zip", uri=archive)


def lines_of(dataset: Dataset | None) -> dict[str, dict[str, Any]]:
    """The lines of the data set's manifest by the names of their images."""
    assert dataset is not None and dataset.status == "Completed", dataset and dataset.failure_reason
    lines = [json.loads(line) for line in storage.read(dataset.manifest_uri).splitlines()]
    return {line["source-name"]: line for line in lines}


def boxes_of(row: LabelImport) -> dict[str, list[tuple[Any, ...]]]:
    """{name: [(class, left, top, right, bottom)]} of every labeled image of the data set that was made."""
    assert row.status == "Completed", row.failure_reason
    attribute = row.label_attribute_name
    return {
        name: [(box.label, *(round(side, 6) for side in box.corners)) for box in read_boxes(line, attribute).boxes]
        for name, line in lines_of(row.dataset).items()
        if attribute in line
    }


def report(row: LabelImport) -> list[tuple[str, str, str]]:
    """(place, outcome, reason) of every line of the report."""
    return list(
        ImportedLine.objects.filter(label_import=row).order_by("number").values_list("place", "outcome", "reason")
    )


def said(row: LabelImport, outcome: str) -> list[str]:
    """The lines of the report with this outcome, as text."""
    return [f"{place}: {reason}" for place, found, reason in report(row) if found == outcome]


def images_of(*names: str, size: tuple[int, int] = SIZE) -> dict[str, bytes]:
    """Images of these names."""
    return {name: picture(size, form="JPEG") for name in names}


def coco_of(*names: str, **changes: Any) -> bytes:
    """A COCO file with one bee on each of the images."""
    listed = [{"id": n, "file_name": name, "width": 100, "height": 50, **changes} for n, name in enumerate(names)]
    return coco(*({**BEE, "image_id": n} for n in range(len(names))), images=listed)


def a_job_over(account: Account, *names: str) -> LabelingJob:
    """A job over images of 100 x 50 pixels, ingested, with nothing opened."""
    dataset = a_named_dataset(account, images_of(*names))
    design = stories.a_design(account, builders.a_team(account=account, workers=[]))
    job = creation.create_job(**design | {"input_manifest_uri": None, "dataset": dataset})
    jobs.advance_job(job.pk)
    job.refresh_from_db()
    return job
