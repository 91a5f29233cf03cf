"""People come by themselves or by invitation, work, and are paid: the public and the private workforce, end to end."""

import json
import urllib.error
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from frontend.demo import run
from frontend.demo.api import Api, ApiError
from marketplace import money
from tests.journeys import pictures
from tests.journeys.browser import Browser, signed_in
from tests.journeys.mailbox import Mailbox, open_mailbox
from tests.journeys.system import System, running

# For a migrated database to copy (see tests/databases.py).
pytestmark = pytest.mark.django_db

LABELS = ["disc", "square"]
PASSWORD = "thyme-and-lavender-7"
PRICE, FEE = 12_000, 2_400
GOLDS = 3
PUBLIC = ("ada@example.org", "bo@example.org", "cy@example.org")
NAME = "crowd-image-classifier"
CERTIFIED = ["FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent"]
Open = Callable[[str], Page]


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with open_mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def system(mailbox: Mailbox, django_db_setup: None) -> Iterator[System]:
    with running(learning=False, **mailbox.settings()) as up:
        yield up


@pytest.fixture(scope="module")
def crew(system: System) -> dict[str, Any]:
    return system.people(workers=1)


@pytest.fixture
def api(system: System, crew: dict[str, Any]) -> Api:
    """The requester's program. The account does not mind how quickly people answer, because here programs do."""
    api = Api(base_url=system.url, token=crew["requester"])
    for rule in ("too-fast", "uniform-times"):
        api.put("/api/v1/conduct-rules", {"rule": rule, "action": "Off"})
    return api


@pytest.fixture
def window(chromium: Chromium, built_elements: Path, system: System) -> Iterator[Open]:
    """A function that opens a path in a browser of its own. A script error on any page fails the test."""
    faults: list[str] = []
    contexts = []

    def open_(path: str) -> Page:
        contexts.append(chromium.new_context(viewport={"width": 1280, "height": 800}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
        page.on("dialog", lambda asked: asked.accept())
        page.goto(system.url + path.removeprefix(system.url))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not faults, faults


def sign_in(page: Page, email: str, password: str) -> None:
    """By the form that the page shows."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def set_password(page: Page, button: str) -> None:
    """On the page to which a letter's link leads."""
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, again").fill(PASSWORD)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")


def truth(index: int) -> str:
    """What is in the picture of this number."""
    return LABELS[index % 2]


def a_dataset(api: Api, folder: Path, *, name: str, count: int, known: int) -> tuple[dict[str, Any], dict[bytes, int]]:
    """A data set of a manifest whose last `known` lines have the truth; and the number of each picture by its bytes."""
    files = sorted((pictures.write(folder / name, count=count) / "images").iterdir())
    stored = api.upload("/api/v1/uploads", [(file.name, file.read_bytes()) for file in files])["files"]
    lines: list[dict[str, Any]] = [{"source-ref": one["uri"]} for one in stored]
    for index in range(count - known, count):
        lines[index] |= {"known": index % 2, "known-metadata": {
            "class-name": truth(index), "confidence": 1, "job-name": "labeling-job/earlier", "human-annotated": "yes",
            "creation-date": "2026-01-01T00:00:00.000000", "type": "groundtruth/image-classification",
        }}  # fmt: skip
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (manifest,) = api.upload("/api/v1/uploads", [("input.manifest", text.encode())])["files"]
    made = api.post("/api/v1/datasets", {"name": name, "kind": "manifest", "uri": manifest["uri"]})
    made = run.wait_for(lambda: api.get(f"/api/v1/datasets/{made['id']}"), timeout=120, show=lambda row: None)
    assert made["status"] == "Completed", made
    return made, {file.read_bytes(): place for place, file in enumerate(files)}


def launch(api: Api, system: System, **changes: Any) -> tuple[str, int]:
    """A job of pictures to choose a class for, once its first tasks are open: its path, and its work queue."""
    design = {
        "task_type": "ImageMultiClass", "labels": LABELS, "title": "Which shape?", "description": "Choose the shape.",
        "price": money.text(PRICE), "expected_seconds": 4, "review_days": 3, "content_classifiers": CERTIFIED,
    } | changes  # fmt: skip
    job = api.post("/api/v1/labeling-jobs", design)
    path = f"/api/v1/labeling-jobs/{job['id']}"
    system.until(lambda: api.get(f"{path}/objects")["results"], lambda r: r and r[0]["state"] == "PendingHuman")
    ((queue,),) = system.query("SELECT queue_id FROM labeling_labelingjob WHERE id = %s", job["id"])
    return path, queue


def work(browser: Browser, queue: int, say: Callable[[bytes], str], *, most: int = 100) -> list[int]:
    """Answer what one holds, then what one can claim, `most` tasks at most; returns the assignments."""
    seats = json.loads(browser.get(f"/api/v1/assignments?queue_id={queue}"))["results"]
    done: list[int] = []
    while len(done) < most:
        seat = seats.pop() if seats else browser.send(f"/api/v1/work-queues/{queue}/claim", {})["assignment"]
        if seat is None:
            break
        answer = {NAME: {"label": say(browser.bytes(seat["image_url"]))}}
        body = {"answer": answer, "seconds": 3 + len(done) % 4}
        browser.send(f"/api/v1/assignments/{seat['id']}/submit?claim_next=false", body)
        done.append(seat["id"])
    return done


def code(browser: Browser, path: str, body: dict[str, Any] | None = None) -> int:
    """The status with which a GET, or with a body a POST, is answered."""
    try:
        browser.bytes(path) if body is None else browser.send(path, body)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def the_ledger_is_whole(system: System) -> None:
    """`manage.py audit_ledger` exits with 1 for anything wrong, and then this fails."""
    assert json.loads(system.run("manage.py", "audit_ledger", "--json"))["findings"] == []


# --- the public pool -------------------------------------------------------------------------------------------------


def sign_up_in_chromium(window: Open, mailbox: Mailbox, system: System, email: str) -> Page:
    """From the sign-in to the tasks, by way of the mailbox."""
    page = window("/sign-in/")
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    (link,) = mailbox.links(email, system)
    page.goto(link)
    set_password(page, "Sign up")
    return page


def sign_up(system: System, mailbox: Mailbox, email: str) -> Browser:
    """The same without a screen."""
    browser = Browser(system.url)
    browser.get("/sign-up/")
    browser.post("/sign-up/", {"email": email, "purpose": "Worker"})
    (link,) = mailbox.links(email, system)
    path = link.removeprefix(system.url)
    browser.get(path)
    assert "Which shape?" in browser.post(path, {"password": PASSWORD, "password_again": PASSWORD})
    assert code(Browser(system.url), path) == 404
    return browser


def answer_on_the_page(page: Page, numbers: dict[bytes, int]) -> None:
    """Begin the job and answer its first task, then close the page although it shows the next one."""
    page.get_by_role("link", name="Start").click()
    picture = page.locator(".canvas img")
    picture.wait_for()
    shown = picture.evaluate("image => fetch(image.src).then(r => r.arrayBuffer()).then(b => [...new Uint8Array(b)])")
    page.get_by_role("radio", name=truth(numbers[bytes(shown)]), exact=True).click()
    with page.expect_response("**/submit*") as handed_in:
        page.get_by_role("button", name="Submit").click()
    assert handed_in.value.ok
    page.close()


def appealed_on_the_page(window: Open, system: System) -> Page:
    """The worker reads why an answer was rejected and what was true of the golds, and appeals."""
    page = window("/sign-in/")
    sign_in(page, PUBLIC[2], PASSWORD)
    page.goto(f"{system.url}/work/history/")
    expect(page.get_by_text("Yours did not pass")).to_have_count(GOLDS)
    expect(page.get_by_text("Rejected because: this is a disc")).to_be_visible()
    page.get_by_role("textbox").fill("there is a square behind it")
    page.get_by_role("button", name="Appeal").click()
    expect(page.get_by_text("Your appeal was sent.")).to_be_visible()
    page.get_by_role("link", name="and the true one").first.click()
    expect(page.get_by_text("too little to pass")).to_be_visible()
    return page


def upheld_on_the_page(window: Open, system: System, crew: dict[str, Any]) -> None:
    """The requester reads the appeal and upholds it."""
    desk = window("/sign-in/")
    sign_in(desk, *crew["requester_login"])
    desk.goto(f"{system.url}/appeals/")
    expect(desk.get_by_text("there is a square behind it")).to_be_visible()
    desk.get_by_label("Your answer").fill("so there is")
    desk.get_by_role("button", name="Uphold and pay").click()
    expect(desk.get_by_text("The appeal was upheld.")).to_be_visible()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_public_job_pays_workers_through_golds_rejection_and_appeal(
    system: System, mailbox: Mailbox, crew: dict[str, Any], api: Api, window: Open, tmp_path: Path
) -> None:
    """Three strangers sign up; one misses the golds, is rejected once, appeals, and is paid like the others."""
    # given a public job of 12 pictures with 3 golds and a review; without the certificate it is refused
    dataset, numbers = a_dataset(api, tmp_path, name="public", count=12 + GOLDS, known=GOLDS)
    (pool,) = [team["id"] for team in api.pages("/api/v1/workteams") if team["crowd"] == "public-crowd"]
    public = {
        "name": "public", "dataset": dataset["id"], "workteam": pool, "workers_per_object": 3,
        "golds": {"rate": 50, "attribute": "known", "most": GOLDS},
    }  # fmt: skip
    with pytest.raises(ApiError) as refused:
        launch(api, system, **public, content_classifiers=[])
    assert refused.value.problem["errors"][0]["field"] == "content_classifiers"
    before = api.get("/api/v1/wallet")["balance"]
    path, queue = launch(api, system, **public)

    # when they sign up and answer everything, the first task on its page
    page = sign_up_in_chromium(window, mailbox, system, PUBLIC[0])
    answer_on_the_page(page, numbers)
    people = [signed_in(system.url, PUBLIC[0], PASSWORD), *(sign_up(system, mailbox, email) for email in PUBLIC[1:])]
    wrong = {0, *range(12, 12 + GOLDS)}
    says = [
        lambda seen: truth(numbers[seen]),
        lambda seen: truth(numbers[seen]),
        lambda seen: truth(numbers[seen] + (numbers[seen] in wrong)),
    ]
    answers = [1, 0, 0]

    def everybody_works() -> str:
        for number, (browser, say) in enumerate(zip(people, says, strict=True)):
            answers[number] += len(work(browser, queue, say))
        return api.get(path)["status"]

    system.until(everybody_works, lambda status: status in run.FINAL)
    assert answers == [12 + GOLDS] * 3
    job = api.get(path)
    assert job["status"] == "Completed" and job["label_counters"]["HumanLabeled"] == 12 + GOLDS
    assert job["probe"]["state"] == "Passed" and job["probe"]["objects"] == 10
    assert [(gold["answers"], gold["passed"]) for gold in api.pages(f"{path}/golds")] == [(3, 2)] * GOLDS
    assert {earned(browser) for browser in people} == {("0.000000", money.text(PRICE * 15))}

    # then one answer is rejected, the others are accepted, and the worker reads why and what was true
    review = answer_to_the_first_picture(api, path, people[2])
    api.post(f"/api/v1/answer-reviews/{review}/reject", {"reason": "this is a disc"})
    api.post(f"{path}/answer-reviews/accept", {})
    assert earned(people[2]) == (money.text(PRICE * 14), "0.000000")
    page = appealed_on_the_page(window, system)

    # and when the requester upholds the appeal, everybody is paid to the micro-dollar, and the ledger is whole
    upheld_on_the_page(window, system, crew)
    page.goto(f"{system.url}/work/history/")
    expect(page.get_by_text("Answer: so there is")).to_be_visible()
    assert {earned(browser) for browser in people} == {(money.text(PRICE * 15), "0.000000")}
    wallet = api.get("/api/v1/wallet")
    assert (wallet["held"], wallet["under_review"], wallet["owed"]) == ("0.000000", "0.000000", "0.000000")
    assert money.parse(before) - money.parse(wallet["balance"]) == 3 * 15 * (PRICE + FEE)
    statements_add_up(api, people[2])
    the_ledger_is_whole(system)


def earned(browser: Browser) -> tuple[str, str]:
    """What a worker has earned, and what is held for a review."""
    found = json.loads(browser.get("/api/v1/earnings"))
    return found["balance"], found["held"]


def answer_to_the_first_picture(api: Api, path: str, browser: Browser) -> int:
    """The review of the worker's answer."""
    mine = json.loads(browser.get("/api/v1/me"))["worker"]["id"]
    (found,) = [row for row in api.pages(f"{path}/answer-reviews?worker={mine}") if row["object_index"] == 0]
    assert found["answer"] == {NAME: {"label": truth(1)}}
    review: int = found["id"]
    return review


def statements_add_up(api: Api, browser: Browser) -> None:
    """What the month's lines sum to is what there is now, for the requester and for the worker."""
    day = datetime.now(UTC).date()
    days = f"first={day.replace(day=1)}&last={day}"
    wallet = api.get(f"/api/v1/wallet/statements?{days}")
    mine = json.loads(browser.get(f"/api/v1/earnings/statements?{days}"))
    assert wallet["closing"] == api.get("/api/v1/wallet")["balance"]
    assert mine["closing"] == earned(browser)[0]


# --- a private team --------------------------------------------------------------------------------------------------


def invite(window: Open, crew: dict[str, Any], team: int) -> Page:
    """Paste a list of which one line is no address: it is named, and nobody is invited before that is put right."""
    desk = window("/sign-in/")
    sign_in(desk, *crew["requester_login"])
    desk.goto(desk.url.removesuffix("overview/") + f"teams/{team}/")
    desk.get_by_label("E-mail addresses").fill("Dora <dora@example.org>; ed@example.org\nfay@\ngil@example.org")
    desk.get_by_role("button", name="Invite").click()
    expect(desk.locator(".field.invalid .field-error")).to_have_text("'fay@': is not an e-mail address")
    desk.get_by_label("E-mail addresses").fill("Dora <dora@example.org>; ed@example.org\ngil@example.org")
    desk.get_by_role("button", name="Invite").click()
    expect(desk.get_by_text("3 invitations are on the way.")).to_be_visible()
    return desk


def join(system: System, mailbox: Mailbox, email: str) -> Browser:
    """Accept an invitation by its link, which works once."""
    path = mailbox.links(email, system)[0].removeprefix(system.url)
    browser = Browser(system.url)
    browser.get(path)
    browser.post(path, {"password": PASSWORD, "password_again": PASSWORD, "display_name": email})
    assert code(Browser(system.url), path) == 404
    return browser


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_private_team_invited_by_mail_works_and_leaves(
    system: System, mailbox: Mailbox, crew: dict[str, Any], api: Api, window: Open, tmp_path: Path
) -> None:
    """Three people are invited; one leaves and one is removed, both see nothing any more and are paid all the same."""
    # given a team of people who accepted an invitation that came by mail
    team = api.post("/api/v1/workteams", {"name": "field-hands", "description": "Shapes"})["id"]
    desk = invite(window, crew, team)
    assert api.get(f"/api/v1/workteams/{team}/members")["results"] == []
    link, portal = mailbox.links("dora@example.org", system)
    page = window(link)
    set_password(page, "Set the password and join")
    assert code(Browser(system.url), link.removeprefix(system.url)) == 404
    dora = signed_in(system.url, "dora@example.org", PASSWORD)
    ed, gil = (join(system, mailbox, email) for email in ("ed@example.org", "gil@example.org"))
    assert mailbox.texts("fay@") == []

    # when a job arrives they are told, find it at their portal, and work
    dataset, _ = a_dataset(api, tmp_path, name="private", count=6, known=0)
    path, queue = launch(api, system, name="private", dataset=dataset["id"], workteam=team, workers_per_object=1)
    told = system.until(lambda: json.loads(dora.get("/api/v1/me/notices"))["results"], bool)
    assert [row["kind"] for row in told] == ["work.available"]
    page.goto(portal)
    expect(page.get_by_role("heading", level=1)).to_have_text("Meadow Research")
    expect(page.get_by_role("link", name="Which shape?")).to_be_visible()
    everybody = (dora, ed, gil)
    picture = dora.send(f"/api/v1/work-queues/{queue}/claim", {})["assignment"]["image_url"]
    for browser in everybody:
        assert len(work(browser, queue, lambda seen: "disc", most=2 if browser is not gil else 1)) > 0

    # then who leaves and who is removed see nothing any more
    page.goto(f"{system.url}/you/")
    page.get_by_role("button", name="Leave the team field-hands").click()
    expect(page.get_by_text("You have left")).to_be_visible()
    desk.reload()
    desk.get_by_role("row").filter(has_text="ed@example.org").get_by_role("button", name="Remove").click()
    expect(desk.get_by_role("row").filter(has_text="ed@example.org")).to_have_count(0)
    for browser in (dora, ed):
        assert json.loads(browser.get("/api/v1/work"))["results"] == []
        refused = code(browser, f"/api/v1/work-queues/{queue}/claim", {}), code(browser, f"/work/{queue}/")
        assert refused == (403, 404)
    assert code(dora, picture.removeprefix(system.url)) in (403, 404)
    page.goto(portal)
    expect(page.get_by_text("a team that you are not on")).to_be_visible()
    expect(page.get_by_role("link", name="Which shape?")).to_have_count(0)

    # and are paid like the one who stays and finishes the job
    assert [len(work(gil, queue, lambda seen: "disc"))] == [1]
    system.until(lambda: api.get(path)["status"], lambda status: status == "Completed")
    assert {earned(browser) for browser in everybody} == {("0.000000", money.text(2 * PRICE))}
    api.post(f"{path}/answer-reviews/accept", {})
    assert {earned(browser) for browser in everybody} == {(money.text(2 * PRICE), "0.000000")}
    the_ledger_is_whole(system)
