"""The checker of templates: each thing that would not work is named with its line, what works is left alone."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from labeling.formats.task_input import task_input
from labeling.formats.template_check import check_template

GALLERY = Path(__file__).parents[3] / "examples" / "templates"

SAMPLE = {"taskObject": "s3://bucket/1.jpg", "labels": ["bee", "wasp"], "boxes": [{"label": "bee", "left": 1}]}

GOOD = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-bounding-box name="boxes" src="{{ task.input.taskObject | grant_read_access }}"
    labels="{{ task.input.labels | to_json | escape }}" initial-value="[
      {% for box in task.input.boxes %}{ label: '{{ box.label }}', left: {{ box.left }}, }, // one {% endfor %}
    ]">
    <full-instructions header="Bees"><p>Box every bee.</p></full-instructions>
  </crowd-bounding-box>
  {% for label in task.input.labels %}<crowd-checkbox name="seen" value="{{ label }}" />{% endfor %}
</crowd-form>"""


def found(content: str, **options: object) -> list[tuple[str, int | None]]:
    return [(one.code, one.line) for one in check_template(content, **options).findings]


def one(content: str, **options: object) -> str:
    (finding,) = check_template(content, **options).findings
    return f"{finding.line}: {finding.message}"


def form(inside: str) -> str:
    return f"<crowd-form>{inside}</crowd-form>"


@pytest.mark.parametrize("sample", [SAMPLE, None])
def test_a_good_template_has_no_findings(sample):
    report = check_template(GOOD, task_input=sample)
    assert report.findings == () and report.works
    assert (report.html is None) == (sample is None)
    assert "data-waggle" not in (report.html or "")


@pytest.mark.parametrize("sample", [SAMPLE, None])
@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            form("\n<crowd-boundingbox name='b' src='x'></crowd-boundingbox>"),
            "2: there is no element <crowd-boundingbox>; was <crowd-bounding-box> meant?",
        ),
        (form("\n\n<crowd-input label='Why?'></crowd-input>"), "3: <crowd-input> has no name: its value would not be "
         "part of the answer"),
        (form("<crowd-3d-point-cloud></crowd-3d-point-cloud>"), "1: <crowd-3d-point-cloud>: video and 3D point clouds "
         "are not labeled here"),
        (form("<crowd-classifier name='c' />"), "1: <crowd-classifier> needs the attribute categories"),
        (
            form("\n<crowd-classifier name='c' categories=\"['a' 'b']\"></crowd-classifier>"),
            "2: <crowd-classifier>: categories is no JSON: Unexpected \"'\" at column 6 in ['a' 'b']",
        ),
        ("<p>{{ task.input.labels }}</p>", "None: there is no <crowd-form>, so nothing can be submitted"),
        ("<form><input name='a'></form>", "None: the plain <form> is not sent anywhere: use <crowd-form>"),
        (
            form('\n<crowd-button form-action="submit" style="display:none">Go</crowd-button>'),
            "2: the submit button is hidden and no script submits the form",
        ),
        (
            "<script src='https://cdn.example/x.js'></script>" + form(""),
            "1: scripts and styles from cdn.example are not allowed (allowed hosts: none)",
        ),
        (
            "\n<link rel=stylesheet href='//cdn.example/x.css'>" + form(""),
            "2: scripts and styles from cdn.example are not allowed (allowed hosts: none)",
        ),
        ("<script src='jquery.js'></script>" + form(""), "1: jquery.js is relative: a template has no address of its "
         "own"),
        (form("\n{{ task.input.taskObject | date: '%Y' }}"), "2: there is no filter 'date': the value passes through "
         "unchanged"),
        (form("\n{% if task.input.labels %}"), "2: {% if %} is never closed by {% endif %}"),
        (form("\n<iframe src='https://x.example'></iframe>"), "2: <iframe> does nothing here: templates may not show "
         "other pages"),
        (form("<crowd-input name='a'/><crowd-input name='b'/>\n<crowd-input name='a'/>"), "2: the name 'a' is that of "
         "line 1 already: one of the values is lost"),
        (form("<script>\nfn(document.cookie)</script>"), "2: document.cookie: the page of a template has no cookies"),
        (form("<script>\nif (confirm('Sure?')) alert('Yes')</script>"), "2: confirm() and prompt() are always "
         "cancelled in the sandbox: ask in the page (alert() is shown)"),
        (form("<img src=\"${image_url}\">"), "1: ${...} is Mechanical Turk's way to fill in values: write "
         "{{ task.input... }}"),
        (form("<script>\nconst steps = ${ steps };</script>"), "2: ${...} is Mechanical Turk's way to fill in values: "
         "write {{ task.input... }}"),
        (form("\n<video id='clip'></video>"), "2: video and 3D point clouds are not labeled here: no data object can "
         "be a video"),
        (form("\n<audio><source src='https://cdn.example/1.mp3'></audio>"), "2: pictures, sounds and videos from "
         "cdn.example are not allowed (allowed hosts: none)"),
        (form("\n<img src='good.png'>"), "2: good.png is relative: a template has no address of its own"),
        ("x" * 128_001, "None: the template has 128,001 characters, at most 128,000 are allowed"),
    ],
)  # fmt: skip
def test_what_will_not_work_is_named_with_its_line(template, message, sample):
    assert one(template, task_input=sample) == message


def test_what_needs_a_sample_is_found_with_one():
    keys = "it has taskObject, labels, boxes"
    assert one(form("\n{{ task.input.lables }}"), task_input=SAMPLE) == (
        f"2: task.input has no key 'lables'; {keys}. Was 'labels' meant?"
    )
    assert one(form("\n<img src='{{ task.input.labels | first | grant_read_access }}'>"), task_input=SAMPLE) == (
        '2: grant_read_access: task.input.labels | first gives "bee", which is not a valid S3 URI (s3://bucket/key '
        "expected)"
    )
    unquoted = form("\n\n<crowd-keypoint name='k' src='x' labels='{{ task.input.taskObject }}'></crowd-keypoint>")
    assert found(unquoted, task_input=SAMPLE) == [("no-json", 3)]
    assert found(unquoted) == []
    assert found(form("{{ task.input }}"), task_input={"x": object()}) == [("sample", None)]


@pytest.mark.parametrize(
    "template",
    [
        form('<crowd-button form-action="submit" style="display: none"></crowd-button>')
        + "<script>document.querySelector('crowd-form').submit()</script>",
        '<crowd-entity-annotation name="n" text="x" labels="[\'a\']"></crowd-entity-annotation>',
        '<script src="//any.example/v/crowd-html-elements-v2.js"></script>' + form(""),
        '<link rel="stylesheet" href="https://any.example/css/gen-ai-components.css">'
        '<script src="https://any.example/gen-ai-components.js"></script><crowd-form id="f"></crowd-form>'
        '<crowd-text-ranking crowd-form-element-id="f" responses="[\'a\']" ordinal-ranking-dimensions="[\'b\']" />',
        form("<script>const x = `a ${b}`; fetch(`${url}`)</script>"),
        form('{% if task.input.absent %}<crowd-alert type="info">x</crowd-alert>{% endif %}'),
        form("<script>const x = `a ${b}`; y = `${c.d}`</script><img src='data:image/png;base64,AA'>"),
        form("<crowd-classifier name='c' categories='[]' initial-value='calm'></crowd-classifier>"),
        form("""<script src="{{ 's3://bucket/own.js' | grant_read_access }}"></script>"""),
        form("<script>document.write(\"<script src='x.js'></\" + 'script>')</script>"),
    ],
)
def test_what_works_is_left_alone(template):
    assert found(template) == []
    assert found(template, task_input=SAMPLE) == []


def test_what_loaded_scripts_may_do_is_only_a_warning():
    parts = (
        '<crowd-button form-action="submit" style="display:none"></crowd-button>\n'
        "<crowd-skeleton></crowd-skeleton><crowd-video-object-detection></crowd-video-object-detection>"
    )
    own = "<script>const one = document.createElement('script'); one.text = code;</script>"
    for script, hosts in ((own, []), ('<script src="https://cdn.example/a.js"></script>', ["cdn.example"])):
        report = check_template(script + form(parts), script_hosts=hosts)
        levels = [(one.level, one.code) for one in report.findings]
        assert levels == [("error", "unknown-element"), ("warning", "no-submit"), ("warning", "unknown-element")]
        assert "video" in report.findings[0].message
    assert not check_template(form(parts)).works


def test_scripts_of_allowed_hosts_are_fine_by_https():
    page = "<script src='https://cdn.example/a.js'></script>\n<script src='http://cdn.example/a.js'></script>" + form(
        ""
    )
    assert found(page, script_hosts=["CDN.example"]) == [("host", 2)]


@pytest.mark.parametrize("template", sorted(GALLERY.glob("*.html")), ids=lambda path: path.name)
def test_the_templates_of_the_gallery_work(template):
    sample = task_input(json.loads((GALLERY / "sample.json").read_text()), ["bee", "wasp"])
    assert check_template(template.read_text(), task_input=sample).findings == ()


def test_the_command_prints_text_or_json_and_fails_for_errors(tmp_path):
    template, sample = tmp_path / "t.html", tmp_path / "s.json"
    template.write_text(form("\n{{ task.input.gone }}<crowd-inputs></crowd-inputs>"))
    sample.write_text('{"source-ref": "s3://b/1.jpg"}')
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_template", str(template), "--input", str(sample), "--labels", "a, b", stdout=out)
    assert ended.value.code == 1
    assert out.getvalue().splitlines() == [
        f"{template}:2: error: there is no element <crowd-inputs>; was <crowd-input> meant?",
        f"{template}:2: warning: task.input has no key 'gone'; it has source-ref, taskObject, labels, manifestLine",
    ]
    template.write_text(GOOD)
    out = StringIO()
    call_command("check_template", str(template), "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"works": True, "findings": []}
    sample.write_text("{'a': 1}")
    with pytest.raises(CommandError, match=r"s\.json: the JSON document is wrong"):
        call_command("check_template", str(template), "--input", str(sample))
