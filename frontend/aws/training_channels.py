"""What SageMaker says of a training (algorithm, hyperparameters, channels, limits) in the words of our trainings.

Tuning jobs use it, too. Makes nothing.
"""

from collections.abc import Mapping
from typing import Any

from learning import families
from learning.builtin_algorithms import Algorithm, of_image
from learning.contract import MODEL, BadInput
from learning.services import artifacts
from marketplace.errors import Invalid
from marketplace.models import Account

_LIMITS = ("max_seconds", "time_budget")
_INPUT = "InputDataConfig"


def algorithm_of(specification: Mapping[str, Any], *, field: str = "AlgorithmSpecification") -> Algorithm:
    """The built-in algorithm whose image a specification names. Raises Invalid for another image, or none."""
    place = f"{field}.TrainingImage"
    image = specification.get("TrainingImage")
    if image is None:
        raise Invalid("the image of a built-in algorithm expected", field=place)
    try:
        return of_image(image)
    except BadInput as error:
        raise Invalid(str(error), field=place) from None


def hyperparameters_of(
    algorithm: Algorithm, given: Mapping[str, str], stopping: Mapping[str, Any], *, field: str = "HyperParameters"
) -> dict[str, str]:
    """The hyperparameters of a training that ends within the time of its StoppingCondition. Raises Invalid."""
    try:
        found = algorithm.hyperparameters({name: value for name, value in given.items() if name[:1] != "_"})
    except BadInput as error:
        raise Invalid(str(error), field=field) from None
    limit = stopping.get("MaxRuntimeInSeconds")
    if limit is not None and not any(name in found for name in _LIMITS):
        found["max_seconds"] = str(limit)
    return found


def channels_of(
    account: Account,
    algorithm: Algorithm,
    config: list[dict[str, Any]] | None,
    mode: str,
    *,
    field: str = _INPUT,
) -> dict[str, dict[str, Any]]:
    """The channels of a training. `mode` is the input mode of those that name none.

    Raises Invalid for a kind of data that is not read here, NotFound for a model that there is not.
    """
    if not config:
        raise Invalid("a channel 'train' expected", field=field)
    channels: dict[str, dict[str, Any]] = {}
    for place, channel in enumerate(config):
        name, where = channel["ChannelName"], f"{field}[{place}]"
        if name in channels:
            raise Invalid(f"there are two channels {name!r}", field=where)
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise Invalid("an S3DataSource expected", field=f"{where}.DataSource")
        if channel.get("CompressionType") == "Gzip":
            raise Invalid("Gzip found; channels are not compressed here", field=f"{where}.CompressionType")
        if name == MODEL:
            uri = source["S3Uri"]
            found = artifacts.model_at(account=account, uri=uri, field=f"{where}.DataSource.S3DataSource.S3Uri")
            channels[name] = {"name": found.name}
        else:
            channels[name] = _images(algorithm, channel, source, mode, where)
    return channels


def _images(
    algorithm: Algorithm, channel: Mapping[str, Any], source: Mapping[str, Any], mode: str, where: str
) -> dict[str, Any]:
    place = f"{where}.DataSource.S3DataSource"
    kind, uri = source["S3DataType"], source["S3Uri"]
    found: dict[str, Any] = {}
    # Only detectors stream; for the others a mode says nothing about what is learned.
    if algorithm.family is families.DETECTOR and not channel["ChannelName"].endswith("_annotation"):
        found["input_mode"] = channel.get("InputMode", mode)
    if kind == "AugmentedManifestFile":
        if "AttributeNames" not in source:
            raise Invalid("source-ref and the label attribute expected", field=f"{place}.AttributeNames")
        return found | {"manifest_uri": uri, "attribute_names": source["AttributeNames"]}
    if channel.get("RecordWrapperType") == "RecordIO":
        raise Invalid("RecordIO wraps augmented manifests only", field=f"{where}.RecordWrapperType")
    if kind != "S3Prefix":
        raise Invalid(f"{kind!r} found, AugmentedManifestFile or S3Prefix expected", field=f"{place}.S3DataType")
    # A prefix names a folder whether or not a slash ends it; what has an ending is a file.
    folder = not uri.endswith("/") and "." not in uri.rpartition("/")[2]
    content_type = {"content_type": channel["ContentType"]} if "ContentType" in channel else {}
    return found | {"uri": f"{uri}/" if folder else uri} | content_type
