"""The forms and bodies of worker templates, with values that are taken."""

from typing import Any

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
