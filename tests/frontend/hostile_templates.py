"""The forms and bodies of worker templates, with values that are taken."""

from typing import Any

from tests import builders
from tests.frontend.world import World


def forms(world: World) -> list[tuple[str, dict[str, Any]]]:
    """(address, fields) of each form."""
    kept = f"/templates/{world.ids['template_id']}/"
    tried = {"template": "<crowd-form>", "hosts": "cdn.example", "sample": '{"source": "a bee"}'}
    return [
        ("/templates/new/", {"name": "survey", **tried}),
        (kept, {"name": "secret-template", **tried}),
        (f"{kept}use/", {"version": "1"}),
        (f"{kept}restore/", {}),
        (f"{kept}delete/", {}),
        ("/templates/preview/", tried),
    ]


def bodies() -> dict[str, dict[str, Any]]:
    """A JSON body for each operation that takes one."""
    tried = {"template": "<crowd-form>", "input": {"x": 1}, "script_hosts": ["cdn.example"]}
    return {
        "check_template": tried,
        "create_worker_template": {"name": "survey", **tried},
        "create_worker_template_version": tried,
    }


def an_import(world: World) -> dict[str, Any]:
    """The form of a label import, for a file in the store."""
    uri = builders.a_manifest(world.account, [{"source-ref": "s3://bees/0.png"}])
    return {
        "source": "store",
        "uri": uri,
        "folder": "",
        "format": "auto",
        "purpose": "dataset",
        "name": "bees-4",
        "task_type": "BoundingBox",
        "place": "dataset",
        "images": world.ids["dataset_id"],
        "label_attribute_name": "truth",
        "read_attribute": "boxes",
        "without_boxes": "labeled",
        "job": world.ids["job_id"],
    }
