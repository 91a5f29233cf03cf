"""An endpoint that serves, as rows, with right requests about it; its one instance does not exist."""

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from learning.models import Model
from learning.services.hosting import hosting
from marketplace.models import Account
from tests import builders
from tests.learning.hosting_stories import an_endpoint

VARIANTS = [{"name": "bees", "model": "secret-model", "instance_count": 1, "weight": 1.0}]
VARIANT = {"model": "secret-model", "name": "bees", "weight": "1", "instance_count": 1}
STRATEGY = {
    "type": "Canary", "step_percent": 5, "bake_seconds": 5, "max_error_percent": "1.5", "max_p99_ms": "100",
}  # fmt: skip


def ids(account: Account, model: Model) -> dict[str, Any]:
    """The names of an endpoint, and of a configuration that none has."""
    variants = [{"name": "secret-variant", "model": model.name}]
    served = hosting.create_config(account=account, name="served-config", variants=variants)
    spare = hosting.create_config(account=account, name="hives-config", variants=variants)
    endpoint = an_endpoint(account, served, name="hives")
    return {"endpoint_name": endpoint.name, "config_name": spare.name}


def bodies() -> dict[str, dict[str, Any]]:
    """A JSON body for each operation that takes one."""
    return {
        "create_endpoint_config": {
            "name": "made",
            "variants": VARIANTS,
            "data_capture": {"percent": 5, "modes": ["Input"]},
        },
        "create_endpoint": {"name": "made", "config": "hives-config"},
        "update_endpoint": {
            "config": "hives-config",
            "strategy": {"type": "Canary", "step_percent": 5, "bake_seconds": 5, "max_error_percent": 1.5},
        },
        "update_endpoint_weights": {"variants": [{"variant": "secret-variant", "weight": 2.0, "instance_count": 2}]},
    }


def _rows(*rows: dict[str, Any]) -> dict[str, Any]:
    """The fields of a form with these rows."""
    fields = {f"variant-{place}-{name}": value for place, row in enumerate(rows) for name, value in row.items()}
    return {"variant-TOTAL_FORMS": len(rows), "variant-INITIAL_FORMS": 0, **fields}


def forms() -> list[tuple[str, dict[str, Any]]]:
    """(address, fields) of every form."""
    page = "/endpoints/hives/"
    image = SimpleUploadedFile("bee.png", builders.image_bytes(), content_type="image/png")
    changed = {"variant": "secret-variant", "weight": "2", "instance_count": 1}
    return [
        ("/new-endpoint/", {"name": "made", "capture_percent": 0, **_rows(VARIANT)}),
        (f"{page}update/", {"config": "hives-config", **STRATEGY}),
        (f"{page}variants/", {**STRATEGY, **_rows(VARIANT)}),
        (f"{page}weight/", _rows(changed)),
        (f"{page}delete/", {}),
        (f"{page}ask/", {"image": image, "least_scores": json.dumps({"bee": 0.4})}),
    ]
