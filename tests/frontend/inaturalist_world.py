"""An iNaturalist export in the store of the world, and right requests with it. Nothing is downloaded for them."""

from typing import Any

from marketplace import storage
from marketplace.models import Account
from marketplace.services import boundaries

EXPORT = b"id,license,image_url\n1,CC0,https://pictures.example/1.jpg\n2,,https://pictures.example/2.jpg\n3,CC0,\n"


def export(account: Account) -> str:
    """The address of an export with two pictures and a bad row."""
    uri = storage.join(boundaries.base_of(account), "uploads", "observations.csv")
    storage.write(uri, EXPORT, content_type="text/csv")
    return uri


def forms(account: Account) -> list[tuple[str, dict[str, Any]]]:
    """(address, form) of the page for a new data set."""
    given = {"name": "meadow", "uri": export(account), "folder": "", "licenses": ["CC0"], "chosen": "on"}
    return [("/datasets/inaturalist/", given)]


def bodies(account: Account) -> dict[str, dict[str, Any]]:
    """A body for each operation."""
    return {"count_inaturalist_licenses": {"uri": export(account)}}
