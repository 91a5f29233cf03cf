"""A small website for the browser tests of the crowd elements, of which tests can read what it received.

It serves the built files, test pages, generated images and the part of the worker's API that the task shell uses. It
knows nothing of Django: the pages of the portal have tests of their own.
"""

import io
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image, ImageDraw

DIST = Path(__file__).parents[2] / "frontend" / "static" / "dist"
CSP = "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
WIDTH, HEIGHT = 640, 480

HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Harness</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/dist/portal.css"><script src="/static/dist/theme.js"></script>
<script type="module" src="/static/dist/worker.js"></script></head>"""


def picture(number: int) -> bytes:
    """A PNG of WIDTH x HEIGHT pixels with flowers and bees, a different one for each number."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (176, 205 - number % 5 * 9, 150))
    pen = ImageDraw.Draw(image)
    for k in range(14):
        x, y = (k * 97 + number * 41) % WIDTH, (k * 61 + number * 29) % HEIGHT
        pen.ellipse([x - 34, y - 34, x + 34, y + 34], fill=(228, 150 + k * 6, 190))
        pen.ellipse([x - 12, y - 12, x + 12, y + 12], fill=(240, 200, 70))
    for k in range(3):
        x, y = 130 + k * 170, 150 + (k * 83 + number * 17) % 200
        pen.ellipse([x - 30, y - 18, x + 30, y + 18], fill=(214, 160, 30), outline=(40, 30, 10), width=3)
        pen.line([x - 8, y - 17, x - 8, y + 17], fill=(40, 30, 10), width=6)
        pen.line([x + 8, y - 17, x + 8, y + 17], fill=(40, 30, 10), width=6)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@dataclass
class Site:
    """The state of the website. `fail_with` holds errors, as (status, body), for the next requests to the API."""

    address: str = ""
    labels: list[str] = field(default_factory=lambda: ["bee", "flower", "leaf"])
    instructions: dict[str, Any] = field(default_factory=dict)
    task_type: str = "BoundingBox"
    title: str = "Draw a box around every bee"
    text_url: str | None = None
    element: dict[str, Any] = field(default_factory=lambda: {"tag": "crowd-bounding-box", "name": "boundingBox"})
    tasks: int = 3
    seconds_left: float = 300.0
    fail_with: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    claimed: list[int] = field(default_factory=list)
    claims: dict[str, int] = field(default_factory=dict)
    state: dict[int, str] = field(default_factory=dict)
    submits: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    paid: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)

    def assignment(self, number: int) -> dict[str, Any]:
        """The task document of a claim. Ids are multiples of 100, so that mixing them up is noticed."""
        return {
            "id": number * 100, "task_id": number * 10, "queue_id": 7, "lease_expires_at": "2030-01-01T00:00:00Z",
            "seconds_left": self.seconds_left, "accepted_at": "2026-01-01T00:00:00Z", "price": "0.036000",
            "image_url": None if self.text_url else f"/picture/{number}.png", 
            "text_url": self.text_url, "image_size": {"width": WIDTH, "height": HEIGHT},
            "labels": [{"label": name} for name in self.labels], "task_type": self.task_type, "title": self.title,
            "instructions": self.instructions, "element": self.element, "initial_value": None,
        }  # fmt: skip

    def claim(self, key: str) -> dict[str, Any]:
        """Lease the next task that was never leased; a repeated key gets the same task."""
        if key in self.claims:
            return {"assignment": self.assignment(self.claims[key] // 100), "next": None}
        number = len(self.claimed) + 1
        if number > self.tasks:
            return {"assignment": None, "reason": "none-left", "next": None}
        self.claimed.append(number * 100)
        self.claims[key] = number * 100
        self.state[number * 100] = "Leased"
        following = {"image_url": f"/picture/{number + 1}.png"} if number < self.tasks else None
        return {"assignment": self.assignment(number), "next": following}

    def submit(self, pk: int, body: dict[str, Any], key: str, claim_next: bool) -> tuple[int, dict[str, Any]]:
        """Store an answer; a repeated key changes nothing."""
        self.submits.append({"id": pk, "key": key, **body})
        if key not in self.paid:
            if self.state.get(pk) != "Leased":
                return 409, {"type": "urn:waggle:problem:conflict", "title": "Conflict", "status": 409,
                             "detail": "the lease expired at 12:00:00 UTC, the task went to others"}  # fmt: skip
            self.state[pk] = "Submitted"
            self.paid[key] = "0.036000"
            self.answers[pk] = body["answer"]
        done: dict[str, Any] = {"status": "Submitted", "paid": self.paid[key]}
        if claim_next:
            upcoming = self.claim(f"after:{pk}")
            done |= {
                "next_assignment": upcoming["assignment"],
                "next": upcoming["next"],
                "reason": upcoming.get("reason"),
            }
        return 200, done


class Handler(BaseHTTPRequestHandler):
    """Serves one Site (class attribute `site`, set by serve())."""

    site: Site
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Do not log; the requests are in site.requests."""

    def answer(self, status: int, kind: str, body: bytes) -> None:
        """Send a response with the content security policy of the portal's pages."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", CSP)
        self.end_headers()
        self.wfile.write(body)

    def answer_json(self, status: int, body: Any) -> None:
        """Send JSON, or a problem document for an error."""
        kind = "application/json" if status < 400 else "application/problem+json"
        self.answer(status, kind, json.dumps(body).encode())

    def do_GET(self) -> None:  # noqa: N802
        path = urlsplit(self.path).path
        self.site.requests.append(f"GET {path}")
        if path in self.site.pages:
            kind = TYPES.get(Path(path).suffix, "text/html; charset=utf-8")
            return self.answer(200, kind, self.site.pages[path].encode())
        if path in self.site.pictures:
            return self.answer(200, "image/png", self.site.pictures[path])
        if found := re.fullmatch(r"/picture/(\d+)\.png", path):
            return self.answer(200, "image/png", picture(int(found[1])))
        if path.startswith("/static/dist/"):
            file = DIST / path.removeprefix("/static/dist/")
            if ".." not in path and file.is_file():
                return self.answer(200, TYPES.get(file.suffix, "application/octet-stream"), file.read_bytes())
        if path == "/api/v1/assignments":
            held = [pk for pk in reversed(self.site.claimed) if self.site.state[pk] == "Leased"]
            return self.answer_json(200, {"results": [self.site.assignment(pk // 100) for pk in held]})
        if found := re.fullmatch(r"/api/v1/assignments/(\d+)", path):
            if self.site.fail_with:
                return self.answer_json(*self.site.fail_with.pop(0))
            state = self.site.state.get(int(found[1]))
            known = {"status": state, "seconds_left": self.site.seconds_left}
            return self.answer_json(200, known) if state else self.answer_json(404, {"detail": "no such assignment"})
        return self.answer(404, "text/plain", b"not found")

    def do_POST(self) -> None:  # noqa: N802
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        where = urlsplit(self.path)
        self.site.requests.append(f"POST {where.path}")
        if self.site.fail_with:
            return self.answer_json(*self.site.fail_with.pop(0))
        if re.fullmatch(r"/api/v1/work-queues/7/claim", where.path):
            return self.answer_json(200, self.site.claim(self.headers["Idempotency-Key"]))
        found = re.fullmatch(r"/api/v1/assignments/(\d+)/(submit|return|decline)", where.path)
        if not found:
            return self.answer_json(404, {"detail": "no such route"})
        pk, verb = int(found[1]), found[2]
        if verb == "submit":
            wanted = parse_qs(where.query).get("claim_next") == ["true"]
            return self.answer_json(*self.site.submit(pk, body, self.headers["Idempotency-Key"], wanted))
        self.site.state[pk] = {"return": "Returned", "decline": "Declined"}[verb]
        return self.answer_json(200, {"status": self.site.state[pk], **body})


def classifier_harness(*, categories: str, src: str = "/picture/1.png", more: str = "", inner: str = "") -> str:
    """A page with one crowd form around an image classifier; answers are kept as in `harness`."""
    return f"""{HEAD}<body><script type="module" src="/harness.js"></script><crowd-form>
    <crowd-image-classifier name="crowd-image-classifier" src="{src}" header="Which animal is it?"
      categories="{categories}" {more}>{inner}</crowd-image-classifier></crowd-form></body></html>"""


def harness(*, labels: str, src: str = "/picture/1.png", more: str = "", inner: str = "") -> str:
    """A page with one crowd form; /harness.js appends each emitted answer to window.answers."""
    return f"""{HEAD}<body><script type="module" src="/harness.js"></script><crowd-form>
    <crowd-bounding-box name="boundingBox" src="{src}" header="Box every bee" labels="{labels}" {more}>{inner}
    </crowd-bounding-box></crowd-form></body></html>"""


def drawing_harness(tag: str, *, labels: str, src: str = "/picture/1.png", more: str = "") -> str:
    """A page with one crowd form around a drawing element of the name "drawn"; answers are kept as in `harness`."""
    return f"""{HEAD}<body><script type="module" src="/harness.js"></script><crowd-form>
    <{tag} name="drawn" src="{src}" header="Mark every bee" labels="{labels}" {more}>
    <short-instructions><p>Mark the bees, not the flowers.</p></short-instructions>
    </{tag}></crowd-form></body></html>"""


def task_page(**config: Any) -> str:
    """The worker's page, with its configuration as Django's json_script writes it."""
    text = json.dumps({"queue_id": 7, "worker_id": 1, "sign_in_url": "/sign-in", "exit_url": "/work"} | config)
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f"""{HEAD}<body class="task-page"><script type="application/json" id="task-config">{text}</script>
    <waggle-task-shell></waggle-task-shell></body></html>"""


HARNESS_JS = """window.answers = [];
document.addEventListener("crowd-submit", (event) => {
  if (!window.leave) event.preventDefault();
  window.answers.push(event.detail);
});
"""


class HarnessHandler(Handler):
    """Also serves /harness.js, because the policy forbids inline scripts."""

    def do_GET(self) -> None:  # noqa: N802
        if urlsplit(self.path).path == "/harness.js":
            return self.answer(200, "text/javascript", HARNESS_JS.encode())
        return super().do_GET()


def serve() -> tuple[Site, ThreadingHTTPServer]:
    """Start the website on a free port; the caller shuts it down."""
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (HarnessHandler,), {"site": site}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    return site, server


def ready_again(page: Any) -> None:
    """Wait until a form that has handed an answer over takes the next one: until a timer that it has set has run."""
    page.evaluate("() => new Promise((done) => setTimeout(done))")


def wait_until(found: Any, seconds: float = 30.0) -> Any:
    """Call `found` until it returns something true, and return that. Raises AssertionError when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError(f"still nothing after {seconds} s")


def settles(read: Any, wanted: Any, seconds: float = 30.0) -> None:
    """Wait until `read` returns `wanted`, because input takes effect a little later. Fails with the last value."""
    end = time.monotonic() + seconds
    while (seen := read()) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    assert seen == wanted, f"{seen!r} instead of {wanted!r} after {seconds} s"
