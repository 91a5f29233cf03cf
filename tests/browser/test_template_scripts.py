"""What the scripts of templates do with the tools and the controls, in a real browser: patterns of public templates."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.drawing import answers, draw
from tests.browser.elements_site import HEAD, Site, settles
from tests.browser.test_crowd_form import given, press, show

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
Show = Callable[..., Page]
__all__ = ["show"]


ENTITIES = (
    "<crowd-entity-annotation id='tool' name='entities' text='Ada met Bo.' labels=\"['who']\""
    " initial-value=\"[{{label: 'who', startOffset: 0, endOffset: 3}}]\">{}</crowd-entity-annotation>"
)
ADA = {"entities": {"entities": [{"endOffset": 3, "label": "who", "startOffset": 0}]}}


def test_the_form_within_the_tool_for_entities(site: Site, open_page: Open) -> None:
    """Contract 7: on its own the tool has a form in its shadow root, which templates look up and listen to."""
    inner = "tool.shadowRoot.querySelector('crowd-form')"
    questions = (
        "<div><crowd-radio-group><crowd-radio-button name='mood' value='good'>Good</crowd-radio-button>"
        "<crowd-radio-button name='mood' value='bad'>Bad</crowd-radio-button></crowd-radio-group></div>"
    )
    site.pages["/form"] = (
        f'{HEAD}<body><script type="module" src="/harness.js"></script>{ENTITIES.format(questions)}</body></html>'
    )
    page = open_page("/form", ready="mark")
    page.get_by_role("radio", name="Bad").click()
    page.evaluate(f"""() => {{
      window.said = [];
      const input = Object.assign(document.createElement('input'), {{type: 'hidden', name: 'seconds', value: '7'}});
      {inner}.form.appendChild(input);
      {inner}.addEventListener('submit', (event) => {{
        said.push(JSON.parse({inner}._serializeForm().taskAnswers)[0]);
        if (said.length === 2) event.preventDefault();
      }});
      tool.addEventListener('submit', () => said.push('on the tool'));
    }}""")
    whole = ADA | {"mood": {"good": False, "bad": True}, "seconds": "7"}
    press(page)
    assert page.evaluate("said") == ["on the tool", whole] and answers(page) == []
    press(page)
    assert given(page) == [whole]
    page.evaluate(f"{inner}.shadowRoot.querySelectorAll('awsui-button')[1].style.display = 'none'")
    page.evaluate(f"{inner}.shadowRoot.querySelectorAll('paper-icon-button')[0].style.display = 'none'")
    expect(page.get_by_role("button", name="Submit")).to_have_count(0)
    page.evaluate("tool.submit()")
    assert given(page, 2)[-1] == whole


def test_the_tool_for_entities_within_a_form(show: Show) -> None:
    """Contract 7: its own form is hidden then, and what scripts put into it is part of the answer around it."""
    inner = "tool.shadowRoot.querySelector('crowd-form')"
    page = show(
        ENTITIES.format("") + '<input type="hidden" name="changes" value="0">',
        script="""document.addEventListener('all-crowd-elements-ready', () => tool.addEventListener('change', () => {
          const field = document.querySelector('[name=changes]');
          field.value = String(Number(field.value) + (tool.value?.entities ?? tool._submittableValue.entities).length);
        }));""",
        ready="mark",
    )
    expect(page.get_by_role("button", name="Submit")).to_have_count(1)
    page.evaluate(f"""{inner}.form.appendChild(
      Object.assign(document.createElement('input'), {{type: 'hidden', name: 'more', value: 'x'}}))""")
    press(page)
    assert given(page) == [ADA | {"changes": "0", "more": "x"}]
    page.get_by_role("button", name="Remove entity 1").click()
    page.get_by_role("button", name="Undo").click()
    page.evaluate(f"{inner}.submit()")
    assert given(page, 2)[-1] == ADA | {"changes": "1", "more": "x"}


PATTERNS = """<crowd-form id="form">
<crowd-checkbox name="seen.0" value="yes">Seen before</crowd-checkbox>
<crowd-radio-group><crowd-radio-button name="pick" value="a">First</crowd-radio-button><br>
<crowd-radio-button name="pick" value="b">Second</crowd-radio-button></crowd-radio-group>
<crowd-bounding-box id="tool" name="boxes" src="/picture/1.png" labels="['bee']"><p>How many <b>legs</b>?</p>
<crowd-input name="legs" label="Legs"></crowd-input></crowd-bounding-box>
<button id="send">Send</button></crowd-form><script src="/late.js"></script>"""


def test_what_scripts_of_templates_do(site: Site, open_page: Open) -> None:
    """With the script of elements in the head: names that come later, click(), alerts, mouseup, fields at submit."""
    head = HEAD.replace('type="module" src="/static/dist/worker.js"', 'src="/static/dist/crowd-html-elements.js"')
    site.pages["/form"] = f'{head}<body><script src="/harness.js"></script>{PATTERNS}</body></html>'
    site.pages["/late.js"] = """
      window.ups = 0;
      tool.addEventListener("mouseup", () => { ups += tool.value.boundingBoxes.length; });
      send.addEventListener("click", () => {
        const field = Object.assign(document.createElement("input"), { type: "hidden", name: "late", value: "1" });
        form.append(field);
        form.submit();
      });"""
    page = open_page("/form")
    expect(page.get_by_role("checkbox", name="Seen before")).to_be_visible()
    expect(page.get_by_role("radio", name="Second")).to_be_visible()
    page.evaluate("document.querySelector('crowd-checkbox').click()")
    page.evaluate("document.querySelectorAll('crowd-radio-button')[1].click()")
    draw(page, 100, 100, 200, 180)
    settles(lambda: page.evaluate("ups"), 1)
    expect(page.get_by_text("How many legs?")).to_be_visible()
    page.get_by_label("Legs").fill("six")
    page.evaluate("alert('First <b>'); alert('Second')")
    for said in ("First <b>", "Second"):
        expect(page.get_by_role("alertdialog", name=said, exact=True)).to_be_visible()
        page.get_by_role("button", name="OK").press("Enter")
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    press(page, "Send")
    (answer,) = given(page)
    boxes = answer.pop("boxes")["boundingBoxes"]
    assert boxes == [{"left": 100, "top": 100, "width": 100, "height": 80, "label": "bee"}]
    assert answer == {"seen.0": {"yes": True}, "pick": {"a": False, "b": True}, "legs": "six", "late": "1"}
