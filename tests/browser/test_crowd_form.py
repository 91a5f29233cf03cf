"""<crowd-form> in a real browser: what templates for Ground Truth and Mechanical Turk rely on, one test each."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.controls_page import page as page_with
from tests.browser.drawing import answers
from tests.browser.elements_site import HARNESS_JS, HEAD, HEIGHT, WIDTH, Site, ready_again, settles, wait_until

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
Show = Callable[..., Page]
FORM = "document.querySelector('crowd-form')"
TOOL = """<crowd-bounding-box name="boxes" src="/picture/1.png" labels="{labels}"></crowd-bounding-box>"""


@pytest.fixture
def show(site: Site, open_page: Open) -> Show:
    """A function that opens a page with this content in a crowd form; `script` runs before the elements are defined."""

    def show_(content: str, *, script: str = "", ready: str = "crowd-form form", **around: Any) -> Page:
        site.pages["/early.js"] = script
        early = f'<script src="/early.js"></script>{around.pop("after", "")}'
        site.pages["/form"] = page_with(content, after=early, **around)
        return open_page("/form", ready=ready)

    return show_


def press(page: Page, name: str = "Submit") -> None:
    """Press the button of this name."""
    page.get_by_role("button", name=name).click()


def given(page: Page, count: int = 1) -> list[dict[str, Any]]:
    """The answers, of which there have to be so many."""
    wait_until(lambda: len(answers(page)) >= count)
    ready_again(page)
    assert len(answers(page)) == count
    return answers(page)


def test_children_stand_in_a_form_of_the_page(show: Show) -> None:
    """Contract 1: `body … crowd-form > form > child`, also for children that come later."""
    page = show('<crowd-input name="a"></crowd-input>')
    page.evaluate(f"{FORM}.append(Object.assign(document.createElement('crowd-input'), {{name: 'b', value: 'late'}}))")
    settles(lambda: page.evaluate("document.querySelectorAll('crowd-form > form > crowd-input').length"), 2)
    assert page.evaluate(f"{FORM}.querySelector('form') === {FORM}.form")
    press(page)
    assert given(page) == [{"b": "late"}]


def test_submit_listeners_run_first_and_may_cancel(show: Show) -> None:
    """Contract 2: set before the upgrade; what they write counts; `return false` and preventDefault() cancel."""
    page = show(
        '<input type="hidden" name="written"><crowd-input name="a" value="x"></crowd-input>',
        script=f"""window.said = []; window.agree = false;
          {FORM}.onsubmit = () => {{
            said.push('on'); document.querySelector('[name=written]').value = 'in time'; return agree; }};
          {FORM}.addEventListener('submit', (event) => {{
            said.push('listener'); if (agree === 'stop') event.preventDefault(); }});""",
    )
    press(page)
    assert page.evaluate("said") == ["on", "listener"]
    page.evaluate("agree = 'stop'")
    press(page)
    assert answers(page) == []
    page.evaluate("agree = true")
    press(page)
    assert given(page) == [{"written": "in time", "a": "x"}]


def test_a_script_can_submit_reset_and_serialise(show: Show) -> None:
    """Contract 3: submit() fires listeners, which may fill required fields; nobody takes the answer: it is shown."""
    page = show(
        '<crowd-input name="a" required></crowd-input><input name="b" value="first">'
        '<input name="c" value="off" disabled>',
        script=f"{FORM}.onsubmit = () => {{ document.querySelector('crowd-input').value = 'filled'; }};",
    )
    page.evaluate(f"window.leave = true; {FORM}.submit()")
    assert given(page) == [{"a": "filled", "b": "first"}]
    expect(page.locator("#answers-box")).to_contain_text('"a": "filled"')
    assert page.evaluate(f"{FORM}._serializeForm()") == {"taskAnswers": '[{"a":"filled","b":"first"}]'}
    page.evaluate("document.querySelector('[name=b]').value = 'changed'")
    page.evaluate(f"{FORM}.reset()")
    assert page.evaluate(f"{FORM}.answer") == {"b": "first"}
    page.evaluate(f"""() => {{ window.taken = [];
        {FORM}._submitHelperForm = function () {{ taken.push(this._serializeForm().taskAnswers); }}; }}""")
    page.evaluate(f"{FORM}.form.submit()")  # the inner form never leaves the page
    assert page.evaluate("taken") == ['[{"a":"filled","b":"first"}]']
    assert len(answers(page)) == 1


def test_properties_of_the_tools_before_and_after_they_are_ready(show: Show) -> None:
    """Contract 4: labels, src and initialValue set before the upgrade or later; `_submittableValue` is the value."""
    box = {"left": 10, "top": 20, "width": 30, "height": 40, "label": "wasp"}
    page = show(
        "<crowd-bounding-box name='boxes' id='annotator'></crowd-bounding-box>",
        script="annotator.labels = ['bee', 'wasp']; annotator.src = '/picture/1.png';"
        f" annotator.initialValue = [{box}];",
        ready=".canvas canvas",
    )
    size = {"width": WIDTH, "height": HEIGHT}
    value = {"boundingBoxes": [box], "inputImageProperties": size, "initialValueModified": False}
    settles(lambda: page.evaluate("annotator.value"), value)
    assert page.evaluate("annotator._submittableValue") == value
    page.evaluate("annotator.initialValue = []; annotator.labels = ['ant']; annotator.src = '/picture/2.png'")
    settles(lambda: page.evaluate("annotator.value?.boundingBoxes"), [])
    assert page.evaluate("annotator.labels") == ["ant"]


def test_names_in_the_shadow_roots_that_scripts_look_up(show: Show) -> None:
    """Contract 5: the Submit button in the tool or the form; a listener that stops its click stops the submit."""
    find = "annotator.shadowRoot.querySelector('awsui-button[data-testid=crowd-submit]')"
    page = show(
        "<crowd-bounding-box name='boxes' id='annotator' src='/picture/1.png' labels=\"['bee']\""
        " initial-value=\"[{left: 1, top: 2, width: 30, height: 40, label: 'bee'}]\"></crowd-bounding-box>",
        ready=".canvas canvas",
    )
    expect(page.get_by_role("button", name="Submit")).to_have_count(1)
    assert page.evaluate(f"{find} === annotator.shadowRoot.querySelectorAll('awsui-button')[1]")
    for name in (
        "#annotation-area-container",
        "#react-mount-point",
        ".headerContainer",
        ".label-pane-content",
        "paper-icon-button",
    ):
        assert page.evaluate(f"annotator.shadowRoot.querySelector('{name}') !== null"), name
    page.evaluate(f"window.hold = (event) => event.stopPropagation(); {find}.addEventListener('click', hold, true)")
    press(page)
    page.evaluate(f"{find}.removeEventListener('click', hold, true)")
    assert answers(page) == []
    press(page)
    assert given(page)[0]["boxes"]["boundingBoxes"] == [
        {"left": 1, "top": 2, "width": 30, "height": 40, "label": "bee"}
    ]

    page = show("<p>No tool</p>")
    assert page.evaluate(f"{FORM}.shadowRoot.querySelectorAll('awsui-button')[1].dataset.testid") == "crowd-submit"
    assert page.evaluate(f"{FORM}.shadowRoot.querySelector('button.awsui-button[type=\"submit\"]') !== null")
    page.evaluate(f"{FORM}.shadowRoot.querySelectorAll('awsui-button')[1].click()")
    assert given(page) == [{}]


@pytest.mark.parametrize("outside", [False, True], ids=["hidden", "outside"])
def test_a_button_of_the_template_replaces_ours(show: Show, outside: bool, tolerated: list[str]) -> None:
    """Contract 6: also one that is hidden, and one that stands outside of the form."""
    tolerated += ["Applying inline style"]
    button = '<crowd-button id="own" form-action="submit"{}>Own</crowd-button>'
    inside = "" if outside else button.format(' style="display:none"')
    page = show(f'<crowd-input name="a" value="x"></crowd-input>{inside}', after=button.format("") if outside else "")
    expect(page.get_by_role("button", name="Submit")).to_have_count(0)
    page.evaluate("own.click()")
    assert given(page) == [{"a": "x"}]


def test_fields_can_be_added_and_left_out(show: Show) -> None:
    """Contracts 7 and 8: `form.appendChild`, object-value-input with validate(), no disabled fields or shadow roots."""
    page = show(
        '<object-value-input name="own"></object-value-input><crowd-checkbox name="off" disabled>Off</crowd-checkbox>'
        '<fieldset disabled><input name="also-off" value="x"></fieldset><div id="host"></div>',
        script="""const own = document.querySelector('object-value-input');
          own.value = {deep: [1, 2]}; own.fine = false; own.validate = () => own.fine;
          const inner = Object.assign(document.createElement('input'), {name: 'inner', value: 'x'});
          host.attachShadow({mode: 'open'}).append(inner);""",
    )
    page.evaluate(
        f"{FORM}.form.appendChild(Object.assign(document.createElement('input'), "
        "{type: 'hidden', name: 'more', value: '7'}))"
    )
    press(page)
    assert answers(page) == []
    page.evaluate("document.querySelector('object-value-input').fine = true")
    press(page)
    assert given(page) == [{"own": {"deep": [1, 2]}, "more": "7"}]


def test_elements_are_known_by_their_ids_and_announced(show: Show) -> None:
    """Contract 9: ids are globals, a toast opens; `all-crowd-elements-ready` comes once, when they can be used."""
    page = show(
        '<crowd-toast id="told" duration="0">Well done</crowd-toast><crowd-input id="word" name="word"></crowd-input>',
        script="""window.ready = [];
          const usable = () => word.shadowRoot?.querySelector('wa-input') !== null;
          document.addEventListener('all-crowd-elements-ready', () => ready.push(usable()));""",
    )
    settles(lambda: page.evaluate("ready"), [True])
    page.evaluate("told.open()")
    expect(page.locator("#told .toast")).to_be_visible()


def test_scripts_that_come_late_or_twice(site: Site, open_page: Open) -> None:
    """Contract 10: elements made before the script is there become alive; loading it again changes nothing."""
    page_head = HEAD.replace('<script type="module" src="/static/dist/worker.js"></script>', "")
    site.pages["/form"] = f'{page_head}<body><script src="/late.js"></script></body></html>'
    site.pages["/late.js"] = (
        HARNESS_JS
        + """
      const form = document.createElement('crowd-form'), group = document.createElement('crowd-radio-group');
      for (const value of ['a', 'b']) {
        const button = document.createElement('crowd-radio-button');
        Object.assign(button, {name: 'pick', value, textContent: value, checked: value === 'b'});
        group.append(button);
      }
      form.append(group); document.body.append(form);
      window.ready = 0;
      document.addEventListener('all-crowd-elements-ready', () => { ready += 1; });
      addEventListener('load', () => ['', '?again'].forEach((query) => document.head.append(
        Object.assign(document.createElement('script'), {type: 'module', src: '/static/dist/crowd.js' + query}))));"""
    )
    page = open_page("/form", ready="crowd-form form wa-radio")
    again = "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('?again')).length"
    settles(lambda: page.evaluate(again), 1)
    page.evaluate("import('/static/dist/crowd.js?again')")
    page.get_by_text("a", exact=True).click()
    press(page)
    assert given(page) == [{"pick": {"a": True, "b": False}}]
    assert page.evaluate("ready") == 1
    assert page.evaluate("[...document.querySelector('crowd-radio-group').children].map((one) => one.checked)") == [
        True,
        False,
    ]


def test_lenient_attributes_and_tags_that_are_not_closed(show: Show) -> None:
    """Contract 11: JSON5 in attributes, `<crowd-checkbox …/>`, and an element that is closed under another name."""
    tool = TOOL.format(labels="[ 'bee', { label: 'wasp', color: '#f00', }, // comment\n ]").replace(
        "</crowd-bounding-box>", "</crowd-keypoint>"
    )
    page = show(
        '<crowd-input name="one" value="1" /><p>then</p><crowd-checkbox name="two" value="x" checked /> Two<br>'
        '<crowd-checkbox name="two" value="y" /> Also <crowd-radio-button name="three" value="a" /> A'
        f'<crowd-radio-button name="three" value="b" checked /> B <crowd-text-area name="four" value="4" />{tool}',
        ready=".canvas canvas",
    )
    assert page.evaluate("document.querySelector('crowd-bounding-box').known.map((one) => one.name)") == ["bee", "wasp"]
    expect(page.get_by_role("checkbox", name="Two")).to_be_checked()
    expect(page.get_by_text("then", exact=True)).to_be_visible()
    expect(page.get_by_role("radio", name="B", exact=True)).to_be_checked()
    settles(
        lambda: {key: value for key, value in page.evaluate(f"{FORM}.answer").items() if key != "boxes"},
        {"one": "1", "two": {"x": True, "y": False}, "three": {"a": False, "b": True}, "four": "4"},
    )


def test_plain_fields_of_the_browser(show: Show) -> None:
    """Texts as texts, boxes and radio buttons as objects by value, a multiple select as a list; Enter submits."""
    page = show(
        '<label>Text <input name="text"></label><label>Long <textarea name="long"></textarea></label>'
        '<label><input type="checkbox" name="tick" value="a"> A</label>'
        '<label><input type="checkbox" name="tick" value="b"> B</label>'
        '<label><input type="radio" name="pick" value="x"> X</label>'
        '<label><input type="radio" name="pick" value="y"> Y</label>'
        '<label>Choice <select name="choice"><option>one</option><option>two</option></select></label>'
        '<label>Several <select name="several" multiple>'
        "<option>1</option><option>2</option><option>3</option></select></label>"
        '<input name="must" aria-label="Must" required><input name="" value="nameless">'
        '<input type="file" name="file" aria-label="File">'
    )
    page.get_by_label("Text").fill("bee")
    page.get_by_label("Long").fill("one\ntwo")
    page.get_by_label("B", exact=True).check()
    page.get_by_label("Y", exact=True).check()
    page.get_by_label("Choice").select_option("two")
    page.get_by_label("Several").select_option(["1", "3"])
    press(page)
    assert answers(page) == []
    expect(page.locator("#form-refusal")).to_contain_text("Must:")
    page.get_by_label("Must").fill("x")
    page.evaluate("document.querySelector('crowd-form form').insertAdjacentHTML('beforeend', '<button>Go</button>')")
    page.get_by_label("Must").press("Enter")
    assert given(page) == [
        {
            "text": "bee", "long": "one\ntwo", "tick": {"a": False, "b": True}, "pick": {"x": False, "y": True},
            "choice": "two", "several": ["1", "3"], "must": "x",
        }
    ]  # fmt: skip


def test_flattened_answers(show: Show) -> None:
    """`answer-format="flatten-objects"`: keys with dots instead of objects in objects; lists stay lists."""
    page = show(
        '<crowd-radio-button name="x.0" value="a" checked>A</crowd-radio-button>'
        '<object-value-input name="deep"></object-value-input>',
        form='answer-format="flatten-objects"',
        script="document.querySelector('object-value-input').value = {one: {two: [1, {three: 3}]}, four: null};",
    )
    press(page)
    assert given(page) == [{"x.0.a": True, "deep.one.two": [1, {"three": 3}], "deep.four": None}]


def test_a_draft_brings_everything_back(show: Show) -> None:
    """What has been filled in can be kept and given back, by a page that was loaded anew."""
    fields = (
        '<crowd-input name="a"></crowd-input><crowd-checkbox name="b">B</crowd-checkbox><input name="c" aria-label="C">'
        '<input type="checkbox" name="d" aria-label="D"><crowd-radio-button name="e" value="1">E</crowd-radio-button>'
    )
    page = show(fields)
    page.get_by_role("textbox", name="a").fill("word")
    page.get_by_label("C").fill("plain")
    page.get_by_label("D").check()
    page.get_by_text("E", exact=True).click()
    draft, answer = page.evaluate(f"{FORM}.draft"), page.evaluate(f"{FORM}.answer")
    assert answer == {"a": "word", "b": {"on": False}, "c": "plain", "d": {"on": True}, "e": {"1": True}}
    page.reload()
    page.locator("crowd-form form").wait_for()
    page.evaluate("draft => { document.querySelector('crowd-form').draft = draft; }", draft)
    assert page.evaluate(f"{FORM}.answer") == answer
