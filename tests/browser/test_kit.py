"""The components of the portal's pages in a real browser, under a policy that forbids inline scripts and styles."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.elements_site import Site, settles, wait_until

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

HEAD = """<!doctype html><html lang="en" class="no-js"><head><meta charset="utf-8"><title>Kit</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/dist/portal.css"><script src="/static/dist/theme.js"></script>
<script type="module" src="/static/dist/portal.js"></script></head>"""
NAV = """<body class="app"><header class="app-bar">
<button class="btn btn-ghost btn-icon app-menu" type="button" data-nav-toggle aria-controls="app-nav"
aria-expanded="false" aria-label="Menu"><svg class="icon"><use href="/static/dist/icons.svg#menu"></use></svg></button>
<a class="brand" href="/">Waggle</a><div class="app-bar-end"><waggle-theme-toggle></waggle-theme-toggle></div></header>
<nav class="app-nav" id="app-nav" aria-label="Main"><a class="nav-link" href="/" aria-current="page">Jobs</a></nav>
<main class="app-main" id="main"><h1>Kit</h1>"""


@pytest.fixture
def kit(site: Site) -> Callable[..., None]:
    """A function that sets the content of the page /kit, and its language."""

    def make(content: str, language: str = "en") -> None:
        head = HEAD.replace('lang="en"', f'lang="{language}"')
        site.pages["/kit"] = f"{head}{NAV}{content}</main></body></html>"

    return make


def script(data: Any) -> str:
    """A script element with JSON, escaped as Django's json_script does."""
    text = json.dumps(data).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f'<script type="application/json">{text}</script>'


def test_money_and_times_are_formatted_for_the_readers_locale(kit: Callable[..., None], open_page: Open) -> None:
    """In the language of the page, with the browser's region; an invalid value keeps the server's text."""
    kit(
        language="de",
        content='<p><waggle-money value-micros="1234567890">x</waggle-money></p>'
        '<waggle-money value-micros="?">kept</waggle-money>'
        '<waggle-time datetime="2026-11-21T04:05:00Z" format="date">21 Nov</waggle-time>',
    )
    page = open_page("/kit", ready="main p", locale="de-DE", timezone_id="UTC")
    expect(page.locator("waggle-money").first).to_have_text("1.234,56789\u00a0$")
    expect(page.locator("waggle-money").nth(1)).to_have_text("kept")
    expect(page.locator("waggle-time")).to_have_text("21.11.2026")


def test_a_chart_has_a_canvas_and_a_table(kit: Callable[[str], None], open_page: Open) -> None:
    """The table has the same figures; HTML in names is shown as text."""
    series = [{"name": "<img src=x onerror=alert(1)>", "points": [[40, 0.31], [80, 0.525]]}]
    data = {"title": "Curve", "x": {"label": "pictures"}, "y": {"format": "percent"}, "series": series}
    kit(f"<waggle-chart>{script(data)}</waggle-chart>")
    page = open_page("/kit", ready="waggle-chart canvas", locale="en-US")
    coloured = """canvas => { const d = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"""
    wait_until(lambda: page.locator("waggle-chart canvas").evaluate(coloured) > 500)
    page.get_by_text("Show as table").click()
    expect(page.locator("waggle-chart tbody tr").nth(1)).to_have_text("80 52.5%")
    expect(page.locator("waggle-chart thead th").nth(1)).to_have_text("<img src=x onerror=alert(1)>")


def test_a_chart_with_invalid_data_shows_an_error(kit: Callable[[str], None], open_page: Open) -> None:
    """And the rest of the page works."""
    kit(f"<waggle-chart>{script({'type': 'pie', 'series': []})}</waggle-chart>")
    page = open_page("/kit", ready="waggle-chart p")
    expect(page.get_by_text('type is "pie", expected line, bar or scatter')).to_be_visible()


def test_layers_of_boxes_are_switched_by_keyboard(kit: Callable[[str], None], open_page: Open) -> None:
    """Each layer has a button; workers' layers are off at first if there is a merged one; boxes are at their place."""
    layers = [
        {
            "name": "Merged",
            "kind": "merged",
            "boxes": [{"left": 10, "top": 20, "width": 30, "height": 40, "label": "bee"}],
        },
        {
            "name": "<b>Ana</b>",
            "kind": "worker",
            "boxes": [{"left": 12, "top": 22, "width": 30, "height": 40, "label": "bee"}],
        },
    ]
    kit(
        '<waggle-boxes-view src="/picture/1.png" width="640" height="480" alt="one">'
        f"{script({'layers': layers})}</waggle-boxes-view>"
    )
    page = open_page("/kit", ready="waggle-boxes-view button")
    view = page.locator("waggle-boxes-view")
    expect(view.locator("rect.over")).to_have_count(1)
    ana = view.get_by_role("button", name="<b>Ana</b> 1")
    expect(ana).to_have_attribute("aria-pressed", "false")
    ana.press("Space")
    expect(view.locator("rect.over")).to_have_count(2)
    loaded = "document.querySelector('waggle-boxes-view').shadowRoot.querySelector('img').complete"
    wait_until(lambda: page.evaluate(loaded))
    frame = view.locator("img").bounding_box()
    box = view.locator("rect.over").first.bounding_box()
    assert frame and box
    assert box["x"] - frame["x"] == pytest.approx(10 * frame["width"] / 640, abs=3)
    assert box["width"] == pytest.approx(30 * frame["width"] / 640, abs=4)


def test_polygons_lines_and_points_lie_at_their_places(kit: Callable[[str], None], open_page: Open) -> None:
    """As shapes of the picture, which say their label and confidence; the buttons count them."""
    corners = [{"x": 64, "y": 48}, {"x": 320, "y": 48}, {"x": 64, "y": 240}]
    layers = [
        {"name": "Area", "kind": "merged", "polygons": [{"label": "bee", "vertices": corners, "confidence": 0.75}]},
        {"name": "Way", "kind": "worker", "on": True, "polylines": [{"label": "lane", "vertices": corners}]},
        {"name": "Place", "kind": "worker", "on": True, "keypoints": [{"label": "eye", "x": 480, "y": 360}]},
        {"name": "None", "kind": "worker", "keypoints": []},
    ]
    kit(
        '<waggle-boxes-view src="/picture/1.png" width="640" height="480" alt="one">'
        f"{script({'layers': layers})}</waggle-boxes-view>"
    )
    page = open_page("/kit", ready="waggle-boxes-view button")
    view = page.locator("waggle-boxes-view")
    expect(view.locator("svg[role=img]")).to_have_attribute(
        "aria-label", "Area: 1 polygon; Way: 1 line; Place: 1 point"
    )
    expect(view.locator("polygon.over title")).to_have_text("Area: bee · 75 %")
    expect(view.get_by_role("button", name="None 0")).to_be_visible()
    wait_until(
        lambda: page.evaluate("document.querySelector('waggle-boxes-view').shadowRoot.querySelector('img').complete")
    )
    frame = view.locator("img").bounding_box()
    assert frame
    for shape, (x, y) in (("polygon.over", (192, 144)), ("polyline.over", (192, 144)), ("path.over", (480, 360))):
        box = view.locator(shape).bounding_box()
        assert box
        assert box["x"] + box["width"] / 2 - frame["x"] == pytest.approx(x * frame["width"] / 640, abs=4)
        assert box["y"] + box["height"] / 2 - frame["y"] == pytest.approx(y * frame["height"] / 480, abs=4)
    view.get_by_role("button", name="Area 1").click()
    expect(view.locator("polygon.over")).to_have_count(0)


def test_a_table_sorts_numbers_as_numbers(kit: Callable[[str], None], open_page: Open) -> None:
    """In both directions, and aria-sort names the direction."""
    rows = "".join(f'<tr><td>{n}</td><td data-value="{v}">{v}</td></tr>' for n, v in (("b", 9), ("a", 10), ("c", -1)))
    kit(
        '<table class="table" data-sortable><thead><tr><th><button class="sort" type="button">Name</button></th>'
        f'<th><button class="sort" type="button">Count</button></th></tr></thead><tbody>{rows}</tbody></table>'
    )
    page = open_page("/kit", ready="table")
    names = page.locator("tbody td:first-child")
    page.get_by_role("button", name="Count").click()
    expect(names).to_have_text(["c", "b", "a"])
    page.get_by_role("button", name="Count").click()
    expect(names).to_have_text(["a", "b", "c"])
    expect(page.locator("th").nth(1)).to_have_attribute("aria-sort", "descending")


def test_web_awesome_uses_the_icons_of_the_portal(kit: Callable[[str], None], open_page: Open, site: Site) -> None:
    """A dialog opens and closes; its icon comes from the sprite, and nothing is loaded from other hosts."""
    kit(
        '<button class="btn" type="button" data-dialog="open hello">Open</button>'
        '<wa-dialog id="hello" label="Hello"><p>Inside</p></wa-dialog>'
    )
    page = open_page("/kit", ready="main button")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("Inside")).to_be_visible()
    icon = page.locator("wa-dialog wa-icon use").first
    assert (icon.get_attribute("href") or "").endswith("/static/dist/icons.svg#close")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Inside")).to_be_hidden()


def test_tabs_switch_panels(kit: Callable[[str], None], open_page: Open) -> None:
    """By mouse and by arrow keys."""
    kit(
        '<wa-tab-group active="a"><wa-tab panel="a">One</wa-tab><wa-tab panel="b">Two</wa-tab>'
        '<wa-tab-panel name="a">First</wa-tab-panel><wa-tab-panel name="b">Second</wa-tab-panel></wa-tab-group>'
    )
    page = open_page("/kit", ready="wa-tab")
    expect(page.get_by_text("First")).to_be_visible()
    page.get_by_role("tab", name="Two").click()
    expect(page.get_by_text("Second")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("First")).to_be_visible()


def test_the_theme_is_remembered_and_the_menu_opens_on_a_phone(kit: Callable[[str], None], open_page: Open) -> None:
    """System, light or dark is kept after a reload. On a screen 390 px wide the navigation is a drawer."""
    kit("<p>Hello</p>")
    page = open_page("/kit", ready="main p", viewport={"width": 390, "height": 844}, color_scheme="light")
    toggle = page.get_by_role("button", name="Colours:")
    toggle.click()
    toggle.click()
    background = "getComputedStyle(document.documentElement).backgroundColor"
    settles(lambda: page.evaluate("document.documentElement.dataset.theme"), "dark")
    dark = page.evaluate(background)
    page.reload()
    settles(lambda: page.evaluate(background), dark)
    assert dark != "rgb(248, 247, 244)"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"

    link = page.get_by_role("link", name="Jobs")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
