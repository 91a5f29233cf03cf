"""What a training may be given as its channels: checked before it is created, so that nothing fails hours later.

Knows addresses, content types and input modes; what lies at the addresses is read when the run is started.
"""

from collections.abc import Mapping
from typing import Any

from labeling.formats.interchange import recordio
from labeling.formats.manifest import SOURCE_REF
from learning.contract import MODEL, TRAIN, VALIDATION
from learning.families import DETECTOR, Family
from learning.services import registry
from learning.services.programs import channel_formats
from learning.services.programs.channel_images import FILE, INPUT_MODES
from marketplace.errors import Invalid
from marketplace.models import Account
from marketplace.ranges import Range
from marketplace.services import boundaries

IMAGES = (TRAIN, VALIDATION)
ANNOTATIONS = tuple(name + channel_formats.ANNOTATION for name in IMAGES)
CHANNELS = (*IMAGES, *ANNOTATIONS, MODEL)
"""The names of channels."""

ATTRIBUTE_NAMES = Range(2, 16)
"""How many names a channel's list of attributes has; SageMaker allows as many."""

DEFAULT_ATTRIBUTE = "labels"
"""Under what the labels are put of formats that know no attributes."""

_OF_IMAGES = {"manifest_uri", "uri", "content_type", "input_mode", "images_uri", "attribute_names"}
_MEMBERS = {
    **dict.fromkeys(IMAGES, _OF_IMAGES),
    **dict.fromkeys(ANNOTATIONS, {"uri", "content_type"}),
    MODEL: {"name", "renamed"},
}

_PLACES = ("manifest_uri", "uri", "name")
_WORDS = {
    "content_type": "content type",
    "input_mode": "input mode",
    "images_uri": "images in",
    "attribute_names": "attributes",
}


def check(*, account: Account, channels: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises Invalid naming the channel and its member that is wrong, Forbidden for an address that the account may not
    read, NotFound for an unknown model."""
    if unknown := set(channels) - set(CHANNELS):
        raise _wrong(f"channels {sorted(unknown)} are not known; there are {sorted(CHANNELS)}")
    if TRAIN not in channels:
        raise _wrong("the channel 'train' is missing")
    for name, given in channels.items():
        if others := set(given) - _MEMBERS[name]:
            raise _wrong(f"the channel {name!r} has {sorted(others)}; it may have {sorted(_MEMBERS[name])}")
        if name == MODEL:
            registry.trainable(account=account, model_arn=str(given.get("name", "")))
        elif name in ANNOTATIONS:
            _check_annotation(name, given, channels)
        else:
            _check_images(name, given, channels)
        for member in ("manifest_uri", "uri", "images_uri"):
            if given.get(member):
                boundaries.require_readable(account=account, uri=given[member])


def check_family(family: Family, channels: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises Invalid for channels that only detectors read: those that are streamed, and formats that bring boxes."""
    if family is DETECTOR:
        return
    for name in (*IMAGES, *ANNOTATIONS):
        given = channels.get(name, {})
        if given.get("input_mode", FILE) != FILE:
            raise _wrong(f"the channel {name!r} has the input mode {given['input_mode']}; a {family.word} reads {FILE}")
        kind = given.get("content_type", channel_formats.MANIFEST_TYPE)
        if name in ANNOTATIONS and given or kind != channel_formats.MANIFEST_TYPE:
            raise _wrong(f"the channel {name!r} is no augmented manifest, which is what a {family.word} learns from")


def label_attribute(channels: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The label attribute that the channels say themselves, in whatever order; None when they do not.

    Raises Invalid when a list of attribute names does not have exactly one beside 'source-ref'.
    """
    named = channels.get(TRAIN, {}).get("attribute_names")
    if named is not None:
        labels = [name for name in named if name != SOURCE_REF]
        if len(labels) != 1 or SOURCE_REF not in named or len(named) not in ATTRIBUTE_NAMES:
            raise _wrong(
                f"the channel 'train': attribute_names are {list(named)}; {SOURCE_REF!r} and one label attribute "
                "expected, in any order"
            )
        return str(labels[0])
    kind = channels.get(TRAIN, {}).get("content_type", channel_formats.MANIFEST_TYPE)
    return None if kind == channel_formats.MANIFEST_TYPE else DEFAULT_ATTRIBUTE


def shown(channels: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was given of each channel, for pages: [{"name", "uri" (of a model its name), "more": [(word, text)]}]."""
    rows = []
    for name, given in channels.items():
        words = [(word, given[member]) for member, word in _WORDS.items() if given.get(member)]
        more = [(word, ", ".join(value) if isinstance(value, list) else str(value)) for word, value in words]
        rows.append({"name": name, "uri": next((given[one] for one in _PLACES if given.get(one)), ""), "more": more})
    return rows


def _check_images(name: str, given: Mapping[str, Any], channels: Mapping[str, Mapping[str, Any]]) -> None:
    where = f"the channel {name!r}"
    if not (given.get("manifest_uri") or given.get("uri")):
        raise _wrong(f"{where} has no manifest_uri, and no uri with a content_type")
    if given.get("manifest_uri") and given.get("uri"):
        raise _wrong(f"{where} has both a manifest_uri and a uri: give one of them")
    kind = given.get("content_type", channel_formats.MANIFEST_TYPE)
    if kind not in channel_formats.CONTENT_TYPES:
        raise _wrong(
            f"{where}: content_type {kind!r} is not known; there are {', '.join(channel_formats.CONTENT_TYPES)}"
        )
    mode = given.get("input_mode", FILE)
    if mode not in INPUT_MODES:
        raise _wrong(f"{where}: input_mode {mode!r} is not known; there are {', '.join(INPUT_MODES)}")
    if given.get("manifest_uri"):
        if kind not in (channel_formats.MANIFEST_TYPE, recordio.CONTENT_TYPE):
            raise _wrong(
                f"{where}: a manifest_uri has the content_type {channel_formats.MANIFEST_TYPE}, found {kind!r}"
            )
        return
    uri = str(given["uri"])
    packed = kind in (channel_formats.LABELS_TYPE, *channel_formats.LABEL_FORMATS) and not uri.endswith("/")
    if packed and mode != FILE:
        raise _wrong(
            f"{where}: an archive is not streamed: use the input_mode {FILE}, or give the folder of its files, with a "
            "slash at its end"
        )
    listed = uri.endswith(".lst")
    if kind in channel_formats.IMAGE_TYPES and not listed and name + channel_formats.ANNOTATION not in channels:
        raise _wrong(
            f"{where}: images need their labels: the channel {name + channel_formats.ANNOTATION!r} with one JSON file "
            "for each, or the address of a .lst file"
        )


def _check_annotation(name: str, given: Mapping[str, Any], channels: Mapping[str, Mapping[str, Any]]) -> None:
    images = name.removesuffix(channel_formats.ANNOTATION)
    if not given.get("uri"):
        raise _wrong(f"the channel {name!r} has no uri")
    if channels.get(images, {}).get("content_type") not in channel_formats.IMAGE_TYPES:
        listed = ", ".join(channel_formats.IMAGE_TYPES)
        raise _wrong(f"the channel {name!r} needs the channel {images!r} with its images, of a content_type {listed}")


def _wrong(reason: str) -> Invalid:
    return Invalid(reason, field="channels")
