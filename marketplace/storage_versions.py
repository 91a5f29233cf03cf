"""A page of an S3 server's listing, with the version that each object has now. Gets its client; knows no settings."""

from typing import Any

from marketplace.storage_files import StoredVersion, Versions

WITHOUT_VERSIONS = frozenset({"NotImplemented", "MethodNotAllowed", "501", "405"})
"""What servers answer that cannot list versions; their objects have an ETag only."""


def version_of(found: Any) -> str:
    """The id of a version in an answer of the server, "null" in a bucket without versions: then the ETag."""
    number = found.get("VersionId") or "null"
    return str(number) if number != "null" else str(found["ETag"]).strip('"')


def page(client: Any, *, bucket: str, prefix: str, after: str, most: int) -> Versions:
    """At most so many rows of the listing, in which earlier versions count too, behind the key `after` ("": all).

    Raises the client's errors.
    """
    begin = {"KeyMarker": after} if after else {}
    try:
        found = client.list_object_versions(Bucket=bucket, Prefix=prefix, MaxKeys=most, **begin)
    except client.exceptions.ClientError as error:
        if error.response["Error"].get("Code") not in WITHOUT_VERSIONS:
            raise
        begin = {"StartAfter": after} if after else {}
        found = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=most, **begin)
    rows = [*found.get("Versions", ()), *found.get("Contents", ())]
    newest = (row for row in rows if row.get("IsLatest", True) and not row["Key"].endswith("/"))
    base = f"s3://{bucket}/"
    last = max((row["Key"] for row in (*rows, *found.get("DeleteMarkers", ()))), default="")
    objects = [StoredVersion(base + row["Key"], row["Size"], version_of(row)) for row in newest]
    return Versions(objects, base + last if found.get("IsTruncated") and last else "")
