"""Patterns of public worker templates, each in a template of our own, in the sandbox of a worker's page."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from labeling.models import Answer, DataObject
from tests.browser import test_templates
from tests.browser.elements_site import wait_until
from tests.browser.test_accessibility import AXE, FOUND, RULES
from tests.browser.test_templates import FRAME, a_job, answers, open_task

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
workers = test_templates.workers


@dataclass(frozen=True)
class Pattern:
    """A template, the rest of the lines of its data, what a worker does, and the answer."""

    template: str
    act: Callable[[FrameLocator, Page], None]
    answer: dict[str, Any]
    line: dict[str, Any]


def submit(frame: FrameLocator) -> None:
    frame.get_by_role("button", name="Submit").click()


HANDLERS = """<crowd-form>
  <crowd-checkbox name="there" value="yes" checked onclick="update(this)"></crowd-checkbox>
  <crowd-input name="word" label="Word" value="bee" required></crowd-input>
  <crowd-button onclick="changed(); return false;"><iron-icon icon="add-box" alt="Another word"/></crowd-button>
  <div id="more"></div>
</crowd-form>
<script>
  const word = document.querySelector("[name=word]");
  function update(box) { // called before the box changes
    word.value = box.checked ? "" : "wasp";
    word.disabled = box.checked;
    word.toggleAttribute("required", !box.checked);
  }
  function changed() {
    const copy = word.cloneNode(true);
    copy.name = "second";
    copy.value = "fly";
    more.append(copy);
    const box = document.createElement("crowd-checkbox");
    box.setAttribute("name", "sure");
    box.setAttribute("onclick", "validate(this)");
    box.innerHTML = "Sure";
    more.append(box);
  }
  function validate(box) { // called after it, because the box came later
    document.querySelector("[name=sure]").value = String(box.checked);
  }
</script>"""


def press_handlers(frame: FrameLocator, page: Page) -> None:
    box = frame.locator("crowd-checkbox").first
    box.click()
    expect(frame.get_by_label("Word").first).to_be_disabled()
    box.click()
    expect(frame.get_by_label("Word").first).to_have_value("wasp")
    frame.get_by_role("button", name="Another word").click()
    frame.get_by_text("Sure").click()
    submit(frame)


OUTSIDE = """<style>html { font-size: 6px; }</style>
<crowd-form onsubmit="return check()">
  <short-instructions>Say what it is. <input name="inside" value="kept" type="hidden"></short-instructions>
  <full-instructions header="At length"><p>Look at its wings.</p></full-instructions>
  <crowd-image-classifier name="kind" src="{{ task.input.taskObject | grant_read_access }}"
      categories="['bee', 'wasp']" initial-value="wasp" header="Which insect?">
    <short-instructions>Look twice.
    <full-instructions header="More about insects"><h2>Wings</h2></full-instructions>
  </crowd-image-classifier>
  <input type="hidden" name="tries" value="0"><input type="submit" style="display:none" value="Submit">
</crowd-form>
<script>
  function check() {
    const tries = document.querySelector("[name=tries]");
    tries.value = Number(tries.value) + 1;
    return tries.value > 1;
  }
</script>"""


INSTRUCTIONS = re.compile("^(Full i|I)nstructions$")


def read_instructions(frame: FrameLocator, page: Page) -> None:
    frame.locator(".canvas").first.wait_for()
    expect(frame.get_by_role("heading", name="Wings")).to_be_hidden()
    for title, words in (("At length", "Look at its wings."), ("More about insects", "Wings")):
        at = 0 if title == "At length" else 1
        # On a phone those of the element are behind a button of its bar.
        frame.get_by_role("button", name=INSTRUCTIONS).nth(at).click()
        expect(frame.get_by_role("dialog", name=title)).to_be_visible()
        expect(frame.get_by_text(words, exact=True)).to_be_visible()
        page.keyboard.press("Escape")
    button = frame.get_by_role("button", name="Submit")
    assert float(button.evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)")) >= 14
    expect(frame.get_by_role("radio", name="wasp")).to_be_checked()
    button.click()
    assert Answer.objects.count() == 0
    button.click()


OWN_FIELDS = """<crowd-form>
  <object-value-input name="all"></object-value-input>
  <own-field name="maker"></own-field><own-field name="year"></own-field>
</crowd-form>
<script>
  const all = {}, asked = [];
  customElements.define("object-value-input", class extends HTMLElement {
    get value() { return all; }
    validate() { return asked.map((ask) => ask()).every(Boolean); }
  });
  customElements.define("own-field", class extends HTMLElement {
    connectedCallback() {
      const name = this.getAttribute("name");
      this.attachShadow({ mode: "open" }).innerHTML = `
        <crowd-checkbox checked aria-label="There is a ${name}"></crowd-checkbox>
        <crowd-input label="The ${name}" required></crowd-input>`;
      const [box, field] = this.shadowRoot.children;
      all[name] = { there: true, text: "", changes: 0 };
      box.addEventListener("change", () => {
        Object.assign(all[name], { there: box.checked, changes: all[name].changes + 1 });
        field.required = box.checked;
      });
      field.addEventListener("input", (event) => { all[name].text = event.target.value; });
      asked.push(() => box.validate() && field.validate());
    }
  });
</script>"""


def fill_own_fields(frame: FrameLocator, page: Page) -> None:
    submit(frame)
    expect(frame.locator("#form-refusal")).to_contain_text("Something is missing")
    expect(frame.get_by_text("Fill this in.")).to_have_count(2)
    frame.get_by_label("The maker").fill("Ada")
    frame.locator("own-field[name=year] crowd-checkbox").click()
    submit(frame)


LATE_BUTTON = """<crowd-form answer-format="flatten-objects">
  <table>{{ task.input.table | skip_autoescape }}</table>
  <label><input type="radio" name="1-sound" value="a" required="true"/>First</label>
  <label><input type="radio" name="1-sound" value="b"/>Second</label>
  {% for pair in task.input.pairs %}<p>{{ pair.row }} <input name="True Value" aria-label="{{ pair.row }}">
    <crowd-text-area name="said{{ forloop.index }}" value="{{ pair.said }}"></crowd-text-area></p>{% endfor %}
  <input name="left" value="out" disabled><late-submit></late-submit>
</crowd-form>
<script>
  setTimeout(() => customElements.define("late-submit", class extends HTMLElement {
    connectedCallback() {
      this.innerHTML = '<button type="submit">Hand in</button>';
      this.firstChild.onclick = (event) => {
        if (this.sure) return;
        event.preventDefault();
        Promise.resolve().then(() => { this.sure = true; this.firstChild.click(); });
      };
    }
  }), 200);
</script>"""


def press_late_button(frame: FrameLocator, page: Page) -> None:
    expect(frame.get_by_role("cell")).to_have_text("1 & 2")
    expect(frame.get_by_role("button", name="Submit")).to_have_count(0)
    frame.get_by_label("First").check()
    frame.get_by_label("r1").fill("x")
    frame.get_by_label("r2").fill("y")
    frame.get_by_role("button", name="Hand in").click()


ON_A_PHONE = "instructions of the form"
PATTERNS = {
    "handlers in attributes": Pattern(
        HANDLERS,
        press_handlers,
        {"there": {"yes": True}, "word": "wasp", "second": "fly", "sure": {"true": True}},
        {},
    ),
    ON_A_PHONE: Pattern(OUTSIDE, read_instructions, {"kind": {"label": "wasp"}, "tries": "2", "inside": "kept"}, {}),
    "fields of the template's own": Pattern(
        OWN_FIELDS,
        fill_own_fields,
        {
            "all": {
                "maker": {"there": True, "text": "Ada", "changes": 0},
                "year": {"there": False, "text": "", "changes": 1},
            }
        },
        {},
    ),
    "a button that comes later": Pattern(
        LATE_BUTTON,
        press_late_button,
        {"1-sound.a": True, "1-sound.b": False, "True Value": "y", "said1": "0.5", "said2": "b & c"},
        {
            "table": "<tr><td>1 &amp; 2</td></tr>",
            "pairs": [{"row": "r1", "said": 0.5}, {"row": "r2", "said": "b & c"}],
        },
    ),
}


@pytest.mark.parametrize(("name", "width"), [*((name, 1280) for name in PATTERNS), (ON_A_PHONE, 390)])
def test_a_pattern_gives_its_answer(open_page, live_server, workers, name, width):
    pattern = PATTERNS[name]
    job = a_job(workers, pattern.template, **pattern.line)
    page = open_task(open_page, live_server, workers[0], job, viewport={"width": width, "height": 844})
    frame = page.frame_locator(FRAME)
    frame.locator("crowd-form").wait_for()
    if name in (ON_A_PHONE, "fields of the template's own"):
        page.evaluate(AXE.read_text())
        assert page.evaluate(FOUND, RULES) == []
    pattern.act(frame, page)
    wait_until(lambda: answers(job))
    assert answers(job)[0] == pattern.answer


def test_a_label_may_start_several_choices_too(open_page, live_server, workers):
    template = """<crowd-form><crowd-classifier-multi-select name="moods" categories="['calm', 'cross', 'glad']"
      initial-value="{{ task.input.guess }}" header="Which moods?"><classification-target>Hm.</classification-target>
      </crowd-classifier-multi-select></crowd-form>"""
    job = a_job(workers, template, guess="cross")
    assert json.loads(DataObject.objects.filter(job=job).first().line.text)["guess"] == "cross"
    page = open_task(open_page, live_server, workers[0], job)
    frame = page.frame_locator(FRAME)
    expect(frame.get_by_role("checkbox", name="cross")).to_be_checked()
    frame.get_by_role("checkbox", name="glad").click()
    submit(frame)
    wait_until(lambda: answers(job) == [{"moods": {"labels": ["cross", "glad"]}}])
