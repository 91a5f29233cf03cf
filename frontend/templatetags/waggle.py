"""Template tags of the portal: icons, money, times, status badges, JSON for elements. No queries here."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from frontend import formats, words
from labeling.task_types.base import TEXT, Element, TaskType

register = template.Library()
ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


@register.simple_tag
def icon(name: str, large: bool = False) -> SafeString:
    """An icon of the kit."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        " icon-l" if large else "",
        static("dist/icons.svg"),
        name,
    )


@register.filter
def money(micros: int | None) -> SafeString | str:
    """Micro-dollars in the reader's format; readable without the script."""
    if micros is None:
        return "–"
    return format_html('<waggle-money value-micros="{}">{}</waggle-money>', str(micros), formats.money(micros))


@register.filter
def whole(value: float) -> int:
    """The nearest whole number."""
    return round(value)


@register.filter
def cents(micros: float) -> int:
    """Micro-dollars to the whole cent."""
    return round(micros / 10_000) * 10_000


@register.filter
def when(moment: datetime | None, form: str = "relative") -> SafeString | str:
    """A moment in the reader's format and time zone."""
    if moment is None:
        return "–"
    return format_html(
        '<waggle-time datetime="{}" format="{}">{}</waggle-time>',
        moment.isoformat(),
        form,
        f"{formats.day(moment, minute=True)} UTC",
    )


@register.filter
def day(moment: date | None, form: str = "day") -> str:
    """A day in the reader's format; with the form "minute" a moment in UTC. Empty where there is none."""
    return "" if moment in (None, "") else formats.day(moment, minute=form == "minute")


@register.filter
def said(text: Any) -> str:
    """A word of the other rooms in the reader's language; frontend/words.py has them."""
    return gettext(str(text)) if text else ""


@register.filter
def told(text: str) -> str:
    """What a task type tells of a label, in the reader's language."""
    return formats.told(text)


@register.filter
def code(text: str) -> SafeString:
    """A text in which `marks` stand for commands and names of settings."""
    parts = enumerate(str(text).split("`"))
    return format_html_join("", "{}", ((format_html("<code>{}</code>", one) if at % 2 else one,) for at, one in parts))


@register.filter
def badge(status: str) -> SafeString:
    """A status as a badge; AWS's own word goes into data-status."""
    return format_html('<span class="badge" data-status="{}">{}</span>', status, words.status(status))


@register.filter
def state(status: str) -> str:
    """A status as text, for choices and within sentences."""
    return words.state(status)


@register.filter
def json_data(value: Any) -> SafeString:
    """A JSON script element for the kit's elements; its content is escaped so that it cannot end the script."""
    text = orjson.dumps(value, default=str).decode().translate(ESCAPES)
    return mark_safe(f'<script type="application/json">{text}</script>')  # noqa: S308 - escaped on the line above


@register.filter
def swapped_json(value: Any) -> SafeString:
    """As `json_data`, for what htmx swaps in: it takes scripts out, so that a template element has the JSON."""
    text = orjson.dumps(value, default=str).decode().translate(ESCAPES)
    return mark_safe(f"<template>{text}</template>")  # noqa: S308 - escaped on the line above


@register.filter
def percent(share: float | None, digits: int = 0) -> str:
    """A share between 0 and 1 as a percentage; a dash where there is none (templates turn a missing key into "")."""
    return "–" if share in (None, "") else f"{formats.fixed(100 * float(share), digits)} %"


@register.filter
def fixed(value: Any, digits: int = 2) -> str:
    """A number with so many digits; a dash where there is none."""
    return "–" if value in (None, "") else formats.fixed(float(value), digits)


@register.filter
def duration(seconds: Any) -> str:
    """Seconds in words: 45 s, 12 min, 3 h 20 min, 2 days 4 h; a dash where there are none."""
    return "–" if seconds in (None, "") else formats.duration(float(seconds))


@register.filter
def get(mapping: dict[str, Any], key: str) -> Any:
    """A value by a key that is not a constant."""
    return mapping.get(key)


@register.filter
def figure(value: float | None, form: str) -> str:
    """A figure of a worker's skill in the form its column has."""
    return percent(value, 1) if form == "percent" else fixed(value)


@register.simple_tag
def labeled_view(
    kind: TaskType[Any, Any], src: str, width: int | None, height: int | None, alt: str, layers: dict[str, Any]
) -> SafeString:
    """An object of a job of this type with its labels: a picture of that size in pixels, or a text."""
    if kind.medium == TEXT:
        return format_html('<waggle-text-view src="{}" alt="{}">{}</waggle-text-view>', src, alt, json_data(layers))
    return format_html(
        '<waggle-boxes-view src="{}" width="{}" height="{}" alt="{}">{}</waggle-boxes-view>',
        src,
        width or 640,
        height or 480,
        alt,
        json_data(layers),
    )


@register.simple_tag
def crowd_element(
    element: Element, src: str, labels: Sequence[Any], initial: Any, more: Mapping[str, str] | None = None
) -> SafeString:
    """The crowd element of a task type with its picture, its labels and what it starts with (None: nothing).

    `more`: attributes that only this object has.
    """
    given = {"name": element.name, "src": src, element.labels_attribute: orjson.dumps(labels).decode()}
    if initial is not None:
        given["initial-value"] = orjson.dumps(initial).decode()
    attributes = format_html_join(" ", '{}="{}"', [*given.items(), *{**element.attributes, **(more or {})}.items()])
    asked = '<worker-comment header="{0}" link-text="{0}"></worker-comment>'
    comment = format_html(asked, gettext(element.comment)) if element.comment else ""
    return format_html("<{0} {1}>{2}</{0}>", element.tag, attributes, comment)


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """The page's query string with some parameters changed; None or "" removes one."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        parameters.pop(name, None)
        if value not in (None, ""):
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"
