"""Whether a folder or an archive holds images or texts, and why a file in it cannot be one of them.

A data set holds either. Names say which; what a file is, its content says. Knows neither stores nor archives.
"""

from collections.abc import Iterable

from django.conf import settings

from labeling.formats import file_kinds, texts
from labeling.services.intake import source_names
from labeling.task_types.base import IMAGE, TEXT

AMONG_IMAGES = "texts need a data set of their own"


def of_names(names: Iterable[str]) -> str:
    """TEXT for files of which some end in .txt and none like an image, IMAGE for all others."""
    found = IMAGE
    for name in names:
        ending = source_names.ending(name)
        if ending in source_names.SUFFIXES:
            return IMAGE
        if ending == texts.SUFFIX and not source_names.hidden(name):
            found = TEXT
    return found


def most_bytes(medium: str) -> int:
    """The size of a file above which it is not taken."""
    return texts.MAX_BYTES if medium == TEXT else settings.IMAGE_MAX_BYTES


def believed(name: str, medium: str) -> bool:
    """Whether a file of this name is taken for what it should be until somebody reads it."""
    ending = source_names.ending(name)
    return ending == texts.SUFFIX if medium == TEXT else ending in source_names.SUFFIXES


def refusal(name: str, start: bytes, medium: str) -> str:
    """Why a file with these first bytes is none of the medium, "" when it may be one."""
    if believed(name, medium):
        return ""
    if medium == TEXT:
        what = file_kinds.described(start)
        return f"is no text, whose name ends in {texts.SUFFIX}{f': it is {what}' if what else ''}"
    reason = source_names.not_an_image(name, start)
    return f"{reason}; {AMONG_IMAGES}" if reason and source_names.ending(name) == texts.SUFFIX else reason


def damage(data: bytes, medium: str) -> str:
    """Why a whole file cannot be labeled, as far as that costs nothing: images are decoded when they are needed."""
    if medium != TEXT:
        return ""
    try:
        texts.read(data)
    except texts.TextError as error:
        return str(error)
    return ""
