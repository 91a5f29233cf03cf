"""Worker templates in a real browser: answered by a worker; a hostile one reaches nothing but its answer."""

import base64
import json
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import FrameLocator, Page, Route, expect

from labeling.models import Answer, AnswerActivity, Assignment, DataObject, LabelingJob
from marketplace.models import Worker
from tests import builders
from tests.browser.elements_site import wait_until
from tests.browser.test_accessibility import AXE, FOUND, RULES
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FRAME = "crowd-template iframe:not(.ahead)"
AHEAD = "crowd-template iframe.ahead"
TEMPLATE = """<!doctype html>
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-image-classifier name="kind" src="{{ task.input.taskObject | grant_read_access }}"
    header="Which insect is it?" categories="{{ task.input.labels | to_json | escape }}">
    <short-instructions>Look at the wings.</short-instructions>
  </crowd-image-classifier>
</crowd-form>
<script>
  localStorage.setItem("seen", "yes");
  document.body.dataset.kept = localStorage.seen + sessionStorage.length;
  const late = document.createElement("script");
  late.src = "https://elsewhere.example/crowd-html-elements-v2.js";
  late.onload = () => { document.body.dataset.late = "loaded"; };
  document.head.append(late);
</script>"""

FORM = """<crowd-form>
  <crowd-image-classifier name="kind" src="{{ task.input.taskObject | grant_read_access }}" header="Which insect?"
    categories="{{ task.input.labels | to_json | escape }}"></crowd-image-classifier>
  <crowd-text-area name="why" label="Why?"></crowd-text-area>
  <div id="more"></div>
</crowd-form>
<script>
  window.addEventListener("load", () => {
    const field = Object.assign(document.createElement("input"), { name: "late" });
    field.setAttribute("aria-label", "Added late");
    document.getElementById("more").append(field);
  });
</script>"""

INSISTENT = """<crowd-form><crowd-input name="word" label="Word"></crowd-input></crowd-form>
<script>
  const say = (message) => parent.postMessage(message, "*");
  window.addEventListener("load", () => {
    for (const action of ["skip", "decline", {}]) say({ waggle: "key", action, hotkeys: [{ keys: {} }] });
    for (const draft of [{}, "no JSON", 7]) say({ waggle: "draft", draft });
  });
  window.addEventListener("message", ({ data }) => {
    if (data.waggle !== "disabled" || !data.disabled) return;
    for (const waggle of ["answer", "draft", "key"]) {
      say({ waggle, answer: { ahead: true }, draft: "[[]]", action: "submit", hotkeys: [] });
    }
    document.body.dataset.said = "yes";
  });
</script>"""

HOSTILE = """<crowd-form id="form"></crowd-form>
<form id="plain" method="post" action="/sign-out/"></form>
<script>
const found = {};
async function attempt(name, act) {
  try { found[name] = String(await act()); } catch (error) { found[name] = "refused"; }
}
window.addEventListener("load", async () => {
  await attempt("cookie", () => document.cookie);
  await attempt("page around", () => parent.document.body.innerHTML);
  await attempt("task around", () => parent.document.getElementById("task-config").textContent);
  await attempt("portal", async () => (await fetch("/api/v1/me", { credentials: "include" })).status);
  await attempt("portal by its name", async () => {
    return (await fetch(WHOLE + "/api/v1/me", { credentials: "include" })).status;
  });
  await attempt("submit for others", async () => (await fetch(WHOLE + "/api/v1/assignments/OTHER/submit", {
    method: "POST", credentials: "include", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ answer: { stolen: true }, seconds: 1 }) })).status);
  await attempt("beacon", () => new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => done("sent"); image.onerror = () => fail(new Error()); image.src = WHOLE + "/health/";
  }));
  await attempt("top", () => { top.location = "about:blank"; return "navigated"; });
  await attempt("database", () => new Promise((done, fail) => {
    const request = indexedDB.open("waggle");
    request.onsuccess = () => done("opened");
    request.onerror = () => fail(new Error());
  }));
  document.getElementById("plain").submit();
  parent.postMessage({ waggle: "answer", id: OTHER, assignment: OTHER, answer: found }, "*");
});
</script>"""


@pytest.fixture
def workers() -> list[Worker]:
    """Two workers; the second one holds a task of the job as well."""
    return [builders.a_worker(), builders.a_worker()]


def a_job(workers: list[Worker], template: str, hosts: tuple[str, ...] = (), **line: Any) -> LabelingJob:
    account = builders.an_account()
    team = builders.a_team(account=account, workers=workers)
    job = stories.a_job(
        account, team, task_type="Custom", labels=["bee", "wasp"], template=template, script_hosts=list(hosts),
        workers_per_object=1, objects=3,
    )  # fmt: skip
    stories.open_pictures(job)
    for row in DataObject.objects.filter(job=job).select_related("line"):
        row.line.text = json.dumps({"source-ref": row.source_ref, **line})
        row.line.save()
    return job


def open_task(open_page: Any, live_server: Any, worker: Worker, job: LabelingJob, **options: Any) -> Page:
    client = Client()
    client.force_login(worker.user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": "localhost", "path": "/"}
    cookie |= {"expires": -1, "httpOnly": False, "secure": False, "sameSite": "Lax"}
    state = {"cookies": [cookie], "origins": []}
    address = f"{live_server.url}/work/{job.queue_id}/"
    return open_page(address, **{"ready": FRAME, "storage_state": state, **options})


def answers(job: LabelingJob) -> list[dict[str, Any]]:
    rows = Answer.objects.filter(assignment__queue=job.queue_id).order_by("pk")
    return [row.content for row in rows]


def choose(frame: FrameLocator, label: str) -> None:
    expect(frame.locator("body[data-kept=yes0][data-late=loaded]")).to_have_count(1)
    frame.get_by_role("radio", name=label).click()
    frame.get_by_role("button", name="Submit").click()


def test_a_worker_answers_tasks_of_a_template_on_a_wide_and_on_a_narrow_page(open_page, live_server, workers):
    job = a_job(workers, TEMPLATE)
    page = open_task(open_page, live_server, workers[0], job)
    frame = page.frame_locator(FRAME)
    expect(page.locator(FRAME)).to_have_attribute("sandbox", "allow-scripts allow-forms allow-popups")
    frame.locator(".canvas").first.wait_for()
    page.evaluate(AXE.read_text())
    assert page.evaluate(FOUND, RULES) == []
    choose(frame, "wasp")
    wait_until(lambda: answers(job) == [{"kind": {"label": "wasp"}}])
    choose(frame, "bee")
    wait_until(lambda: answers(job)[1:] == [{"kind": {"label": "bee"}}])
    seat = Assignment.objects.filter(queue=job.queue_id, state="Submitted").first()
    assert seat is not None and seat.worker == workers[0] and seat.paid_micros == stories.PRICE

    narrow = open_task(open_page, live_server, workers[0], job, viewport={"width": 390, "height": 844})
    inside = narrow.frame_locator(FRAME)
    inside.locator(".canvas").first.wait_for()
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390
    choose(inside, "bee")
    wait_until(lambda: len(answers(job)) == 3)


def test_a_hostile_template_reaches_nothing_but_its_own_answer(open_page, live_server, workers, tolerated):
    tolerated += ["Content Security Policy", "Unsafe attempt", "SecurityError", "sandbox"]
    job = a_job(workers, "<crowd-form></crowd-form>")
    # A seat of another worker, whose key the template even knows.
    stories.assignments.claim(worker=workers[1], queue=job.queue)
    other = Assignment.objects.get(worker=workers[1])
    said = f"<script>const WHOLE = '{live_server.url}', OTHER = {other.pk};</script>"
    job.queue.template.text = said + HOSTILE.replace("/OTHER/", "/' + OTHER + '/".replace("'", '"'))
    job.queue.template.save()
    page = open_task(open_page, live_server, workers[0], job)
    address = page.url
    wait_until(lambda: len(answers(job)) >= 1)
    assert answers(job)[0] == dict.fromkeys(
        (
            *("cookie", "page around", "task around", "portal", "portal by its name", "submit for others"),
            *("beacon", "top", "database"),
        ),
        "refused",
    )
    # The answer is that of the worker who sat before the page, whatever it said about another one.
    assert Assignment.objects.get(pk=other.pk).state == "Leased"
    assert {row.assignment.worker for row in Answer.objects.select_related("assignment__worker")} == {workers[0]}
    assert page.url == address and page.locator("waggle-task-shell").count() == 1
    assert page.evaluate("fetch('/api/v1/me').then((answer) => answer.status)") == 200, "still signed in"


def journal(page: Page) -> str:
    """What is kept on the device, without the quoting of JSON within JSON."""
    kept: str = page.evaluate("JSON.stringify({...localStorage})")
    return kept.replace("\\", "")


def test_what_is_filled_in_survives_a_reload_and_the_keys_of_the_page_work(open_page, live_server, workers):
    job = a_job(workers, FORM)
    page = open_task(open_page, live_server, workers[0], job)
    frame, help_ = page.frame_locator(FRAME), page.get_by_role("dialog", name="Keys")
    frame.get_by_role("radio", name="wasp").click()
    frame.get_by_label("Why?").fill("slim")
    frame.get_by_label("Added late").fill("?")
    wait_until(lambda: '"why","slim"' in journal(page) and '"late","?"' in journal(page))
    page.reload()
    expect(frame.get_by_label("Why?")).to_have_value("slim")
    expect(frame.get_by_label("Added late")).to_have_value("?")
    expect(frame.get_by_role("radio", name="wasp")).to_be_checked()

    # A field keeps its keys.
    why = frame.get_by_label("Why?")
    why.press("End")
    why.press("?")
    why.press("Control+Enter")
    expect(why).to_have_value("slim?")
    expect(help_).to_be_hidden()
    assert answers(job) == []

    # Elsewhere they are the page's: the list has the keys of the task as well.
    frame.get_by_role("radio", name="wasp").focus()
    page.keyboard.press("?")
    expect(help_).to_contain_text("choose the label next to it")
    expect(help_).to_contain_text("return this task")
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    # The frame has a process of its own, which gets the focus back a moment after the list is gone.
    wait_until(lambda: frame.locator("body").evaluate("() => document.hasFocus()"))
    page.keyboard.press("Control+Enter")
    wait_until(lambda: answers(job) == [{"kind": {"label": "wasp"}, "why": "slim?", "late": "?"}])

    # Keys work in the next page at once, and nothing of the last task is in it.
    expect(frame.get_by_label("Why?")).to_have_value("")
    expect(frame.locator("crowd-image-classifier")).to_be_focused()
    page.locator(AHEAD).evaluate("frame => { frame.dataset.mark = 'loaded ahead'; }")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    wait_until(lambda: answers(job)[1:] == [{"kind": {"label": "bee"}, "late": ""}])

    # The page after it was there already. A task is returned by a key too, after a question; the time left goes on.
    expect(page.locator(FRAME)).to_have_attribute("data-mark", "loaded ahead")
    expect(frame.locator("crowd-image-classifier")).to_be_focused()
    timer = page.get_by_role("timer", name="Time left")
    expect(timer).not_to_have_text(timer.inner_text())
    questions: list[str] = []
    page.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.accept()))
    with page.expect_response(lambda answer: answer.url.endswith("/return")) as returned:
        page.keyboard.press("Control+Shift+Enter")
    assert returned.value.ok
    assert len(questions) == 1 and "Return this task?" in questions[0]


def test_a_page_returns_no_task_by_itself_and_one_that_is_loaded_ahead_says_nothing(open_page, live_server, workers):
    job = a_job(workers, INSISTENT)
    page = open_task(open_page, live_server, workers[0], job)
    page.on("dialog", lambda dialog: dialog.dismiss())
    expect(page.frame_locator(AHEAD).locator("body[data-said=yes]")).to_have_count(1)
    frame = page.frame_locator(FRAME)
    frame.get_by_label("Word").fill("bee")
    assert answers(job) == []
    assert Assignment.objects.filter(queue=job.queue_id).values_list("state", flat=True).get() == "Leased"
    frame.get_by_role("button", name="Submit").click()
    wait_until(lambda: answers(job) == [{"word": "bee"}])
    expect(frame.get_by_label("Word")).to_have_value("")
    assert answers(job) == [{"word": "bee"}]


AROUND = """<html><head>
<link rel="stylesheet" href="https://cdn.example.org/look.css" crossorigin="anonymous">
<script src="https://cdn.example.org/lib.js" crossorigin="anonymous"></script></head>
<body><crowd-form answer-format="flatten-objects">
{% assign last = task.input.parts.size | minus: 1 %}
{% for i in (0..last) %}
  <div>Fine? <crowd-checkbox checked="true" name="{{ task.input.parts[i].name }}.{{ i }}" value="yes" /></div>
{% endfor %}
<crowd-classifier name="mood" categories="{{ task.input.moods | to_json }}">
  <classification-target>
    {% for one in task.input.my-meta.class-map %}<i>{{ one[0] }}: {{ one[1] }}</i>{% endfor %}
  </classification-target>
</crowd-classifier>
<img id="picture" crossorigin="anonymous" src="{{ task.input['source-ref'] | grant_read_access }}" alt="">
<img id="logo" src="https://cdn.example.org/logo.png" alt="">
<input type="hidden" name="seen" id="seen">
</crowd-form>
<script>
  const PARTS = {{ task.input.parts | tojson(indent=2) | skip_autoescape }};
  sessionStorage.setItem("started", "yes");
  window.addEventListener("load", async () => {
    const pixel = document.createElement("canvas").getContext("2d");
    pixel.drawImage(picture, 0, 0, 1, 1);
    const found = { parts: PARTS.length, lib: window.lib(2), look: getComputedStyle(document.body).paddingTop,
      kept: sessionStorage.started + localStorage.length, read: pixel.getImageData(0, 0, 1, 1).data.length,
      logo: logo.naturalWidth, data: await (await fetch("https://cdn.example.org/data.json")).json() };
    document.querySelector("crowd-form").onsubmit = () => {
      window.open("about:blank"); // the page's opener policy keeps the new window out of its reach
      seen.value = JSON.stringify(found);
    };
    document.body.dataset.done = "yes";
  });
</script></body></html>"""
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
CDN = {
    "look.css": ("text/css", b"body { padding-top: 11px; }"),
    "lib.js": ("text/javascript", b"window.lib = (x) => x + 1;"),
    "logo.png": ("image/png", PIXEL),
    "data.json": ("application/json", b"[7]"),
}


def serve_cdn(page: Page) -> None:
    """Answer for the host that the requester allowed."""

    def answer(route: Route) -> None:
        kind, body = CDN[route.request.url.rsplit("/", 1)[-1]]
        route.fulfill(body=body, content_type=kind, headers={"Access-Control-Allow-Origin": "*"})

    page.context.route("https://cdn.example.org/*", answer)


@pytest.mark.slow
def test_the_page_of_a_template_is_one_in_which_templates_work(open_page, live_server, workers, tolerated):
    """Liquid as templates write it; what an allowed host serves, storage, windows and pixels of pictures are there."""
    line = {"parts": [{"name": "wing"}, {"name": "sting"}], "moods": ["calm", "cross"], "long-text": "x"}
    line["my-meta"] = {"class-map": {"0": "bee", "1": "<wasp>"}}
    job = a_job(workers, AROUND, ("cdn.example.org",), **line)
    tolerated += ["window.lib"]  # the first page is opened before anybody answers for the host
    page = open_task(open_page, live_server, workers[0], job)
    serve_cdn(page)
    page.reload()
    frame = page.frame_locator(FRAME)
    expect(frame.locator("body[data-done=yes]")).to_have_count(1)
    expect(frame.locator("classification-target i")).to_have_text(["0: bee", "1: <wasp>"])
    frame.get_by_role("checkbox").nth(1).click(force=True)
    frame.get_by_role("radio", name="cross").click()
    with page.context.expect_page():
        frame.get_by_role("button", name="Submit").click()
    wait_until(lambda: answers(job))
    answer = answers(job)[0]
    assert json.loads(answer.pop("seen")) == {
        "parts": 2, "lib": 3, "look": "11px", "kept": "yes0", "read": 4, "logo": 1, "data": [7]
    }  # fmt: skip
    assert answer == {"wing.0.yes": True, "sting.1.yes": False, "mood.label": "cross"}


ROBOT = """setTimeout(() => {
  const form = document.querySelector("crowd-form");
  if (!form || !window.robot) return;
  form.form.insertAdjacentHTML("beforeend", '<input type="hidden" name="by" value="robot">');
  document.querySelector("crowd-radio-button").click();
  form.shadowRoot.querySelector("awsui-button[data-testid=crowd-submit] button").click();
}, 500)"""
QUESTION = """<crowd-form><crowd-radio-group>{% for one in task.input.labels %}
<crowd-radio-button name="kind" value="{{ one }}">{{ one }}</crowd-radio-button>{% endfor %}</crowd-radio-group>
</crowd-form>
<script>window.robot = true; window.addEventListener("keydown", (event) => {
  if (event.key === "b") document.querySelector("crowd-radio-button").checked = true; });</script>"""


@pytest.mark.slow
def test_answers_of_robots_are_told_from_those_of_people_with_scripts(open_page, live_server, workers):
    """A script that fills in and submits is counted as one; a person whose script only adds keys is not."""
    job = a_job(workers, QUESTION)
    page = open_task(open_page, live_server, workers[0], job)
    frame = page.frame_locator(FRAME)
    frame.get_by_role("radio", name="bee").wait_for()
    page.frames[1].evaluate("document.body.dataset.old = 'yes'")
    page.frames[1].evaluate(ROBOT)
    wait_until(lambda: len(answers(job)) == 1)
    assert answers(job)[0] == {"kind": {"bee": True, "wasp": False}, "by": "robot"}
    expect(frame.locator("body:not([data-old])")).to_have_count(1)
    frame.get_by_role("button", name="Submit").focus()
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    wait_until(lambda: len(answers(job)) == 2)
    assert answers(job)[1] == {"kind": {"bee": True, "wasp": False}}
    robot, person = AnswerActivity.objects.order_by("assignment_id")
    assert robot.trusted == 0 and robot.untrusted > 0
    assert person.trusted >= 2 and person.keys >= 2
