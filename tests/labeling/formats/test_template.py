"""Worker templates: AWS's constructs work; untrusted templates reach nothing and are stopped beyond their budget."""

from __future__ import annotations

import html
import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.formats.template import TemplateError, UnreadableUri, check, render, rendered, unknown_filters
from labeling.formats.template_data import Note

HOSTILE = "<img src=x onerror=alert(1)>"
INPUT = {
    "taskObject": "s3://bucket/a b.jpg",
    "labels": ["bee", HOSTILE, "q\"uo'te & co"],
    "n": 0,
    "on": True,
    "nothing": None,
    "half": 0.5,
    "point": {"point_number": 8, "coords": [59, 76]},
    "manifestLine": {
        "my-attr": {"annotations": [{"class_id": 0, "left": 1}]},
        "my-attr-metadata": {"class-map": {"0": "dog"}, "objects": [{"confidence": 0.9}]},
        "boxes": {"x": {"class-name": "cat"}, "y": {"class-name": "cow"}},
    },
}


def link(uri: str) -> str:
    return "https://example.org/" + uri.removeprefix("s3://") + "?token=1&x=2"


def shown(template: str, task_input: object = INPUT) -> str:
    return render(template, task_input, grant_read_access=link)


def test_the_box_template_of_the_documentation():
    page = shown(
        """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
 <crowd-bounding-box name="boundingBox" src="{{ task.input.taskObject | grant_read_access }}"
   header="Box every bee" labels="{{ task.input.labels | to_json | escape }}">
 </crowd-bounding-box>
</crowd-form>"""
    )
    assert 'src="https://example.org/bucket/a b.jpg?token=1&amp;x=2"' in page
    attribute = page.split('labels="')[1].split('"')[0]
    assert json.loads(html.unescape(attribute)) == INPUT["labels"]
    assert HOSTILE not in page


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ task.input.manifestLine.my-attr-metadata.class-map[task.input.n] }}", "dog"),
        ('{% assign c = "0" %}{{ task.input.manifestLine.my-attr-metadata.class-map[c] }}', "dog"),
        ("{{ task.input['manifestLine']['my-attr'].annotations[0].left }}", "1"),
        (
            '{% for box in task.input.manifestLine.boxes %}{{ forloop.index }}:{{ box[0] }}={{ box[1]["class-name"] }} '
            "{% endfor %}",
            "1:x=cat 2:y=cow ",
        ),
        ("{% capture t %}<b>{{ task.input.labels[1] }}</b>{% endcapture %}{{ t }}", f"<b>{html.escape(HOSTILE)}</b>"),
        ("{% if task.input.n != 1 %}yes{% else %}no{% endif %}", "yes"),
        ("{{ task.input.labels.size }} {{ task.input.labels | first }}", "3 bee"),
        ("{{ task.input.on }}|{{ task.input.nothing }}|{{ task.input.half }}|{{ task.input.absent.x }}", "true||0.5|"),
        ("{{ task.input.labels[1] | escape }}", html.escape(HOSTILE)),
        ("{{ task.input.labels[1] | escape_once }}", html.escape(HOSTILE)),
        ("{{ task.input.labels[1] | skip_autoescape }}", HOSTILE),
        ("{{ task.input.absent | default: 'none' }}", "none"),
        ("{% for n in (0..task.input.n) %}[{{ task.input.point.coords[n] | minus: 1 }}]{% endfor %}", "[58]"),
        ("{% assign n = task.input.labels.size | minus: 1 %}{{ task.input.labels[n].k }}{{ n }}", "2"),
        ("{{ task.input.on | tojson(indent=2) }}|{{ task.input.half | nofilter: 1 | plus: 1 }}", "true|1.5"),
        ("<script>var b = {{ task.input.point.coords }};</script>", "<script>var b = [59,76];</script>"),
        ("{% raw %}{{ vue }}{% endraw %}", "{{ vue }}"),
        ("{{ 's3://b/x.js' | grant_read_access }}", "https://example.org/b/x.js?token=1&amp;x=2"),
        (
            "{{ 'https://s3.amazonaws.com/b/c%20d.js' | grant_read_access }}",
            "https://example.org/b/c d.js?token=1&amp;x=2",
        ),
        (
            "{{ 'https://b.s3.eu-west-1.amazonaws.com/k' | grant_read_access }}",
            "https://example.org/b/k?token=1&amp;x=2",
        ),
        ("{{ task.input.absent | to_json }}", "null"),
        ("{% for label in task.input.labels limit: 1 %}{{ label | upcase }}{% endfor %}", "BEE"),
        ("{{ 'a' | append: 'b' }} {{ 2 | times: 3 | plus: 1 }}", "ab 7"),
    ],
)
def test_constructs(template, expected):
    assert shown(template) == expected.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


def test_objects_print_as_json_in_attributes_and_scripts():
    for template in ("{{ task.input.point }}", "{{ task.input.point | to_json }}"):
        assert json.loads(html.unescape(shown(template))) == INPUT["point"]
    assert json.loads(html.unescape(shown("{{ task.input.labels }}"))) == INPUT["labels"]
    script = shown(
        "<script>let x = {{ task.input.labels | to_json | skip_autoescape }};</script>", {"labels": ["</script>"]}
    )
    assert script.count("</script>") == 1
    assert json.loads(script.split("= ")[1].split(";<")[0]) == ["</script>"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=10,
    )
)
def test_any_json_survives_an_attribute(value):
    try:
        page = shown('<x y="{{ task.input | to_json }}">', value)
    except (TemplateError, UnicodeEncodeError):
        assert any(0xD800 <= ord(sign) < 0xE000 for sign in json.dumps(value, ensure_ascii=False))
        return
    assert page.count('"') == 2 and page.count("<") == 1
    assert json.loads(html.unescape(page[6:-2])) == value


@pytest.mark.parametrize(
    "template",
    [
        "{{ task.input.__class__ }}",
        "{{ task.__init__.__globals__ }}",
        "{{ task.input.labels.__len__ }}{{ task.input.labels.append }}",
        "{{ task.input.taskObject.format }}",
        "{{ task.input.items }}{{ task.keys }}",
    ],
)
def test_templates_cannot_reach_python_objects(template):
    assert shown(template) == ""


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% include 'x' %}", "line 1: unexpected tag 'include'"),
        ("{% render 'x' %}", "line 1: unexpected tag 'render'"),
        ("\n\n{{ a b }}", "line 3: expected end of expression, found word"),
        ("{% if %}", "line 1: missing expression"),
        ("{% for x in y %}", "line 1: {% for %} is never closed by {% endfor %}"),
        ("{% tablerow x in y %}{% endtablerow %}", "unexpected tag 'tablerow'"),
        ("", "the template is empty"),
        ("x" * 128_001, "the template has 128,001 characters, at most 128,000 are allowed"),
        ("{{" + "a[" * 3000 + "b" + "]" * 3000 + "}}", "."),
        ("{% if a %}" * 50 + "{% endif %}" * 50, "block nesting limit reached"),
    ],
)
def test_mistakes_are_reported_with_their_line(template, message):
    with pytest.raises(TemplateError, match=message):
        shown(template)
    problems = check(template)
    assert [problem.code for problem in problems] == ["InvalidTemplate"]


def test_a_good_template_has_no_problems():
    assert check("{{ task.input.x }}") == []


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            "\n{{ task.input.taskobject | grant_read_access }}",
            "line 2: grant_read_access: task.input.taskobject gives nothing: task.input has no key 'taskobject'; "
            "it has taskObject, labels, n, on, nothing, half, point, manifestLine. Was 'taskObject' meant?",
        ),
        (
            "{% assign u = task.input.point.x %}{{ u | strip | grant_read_access }}",
            'line 1: grant_read_access: u | strip gives "", which is not a valid S3 URI (s3://bucket/key expected)',
        ),
        (
            "{{ task.input.labels[0] | grant_read_access }}",
            'line 1: grant_read_access: task.input.labels[0] gives "bee", which is not a valid S3 URI '
            "(s3://bucket/key expected)",
        ),
        (
            "{{ 'https://example.org/a.png' | grant_read_access }}",
            "line 1: grant_read_access: 'https://example.org/a.png' gives \"https://example.org/a.png\", which is not "
            "a valid S3 URI (s3://bucket/key expected)",
        ),
        (
            "{{ task.input.taskObject | append: '!' | grant_read_access }}",
            "line 1: grant_read_access: task.input.taskObject | append: '!' gives s3://bucket/a b.jpg!: "
            "not of this task",
        ),
    ],
)
def test_an_unreadable_uri_says_which_expression_gave_what(template, message):
    def only_one(uri: str) -> str:
        if uri != INPUT["taskObject"]:
            raise UnreadableUri("not of this task")
        return uri

    with pytest.raises(TemplateError) as refused:
        render(template, INPUT, grant_read_access=only_one)
    assert str(refused.value) == message


def test_missing_keys_are_noted_where_they_are_used_and_not_where_they_are_asked_for():
    page = rendered(
        "{% if task.input.absent %}x{% endif %}{{ task.input.gone | default: 1 }}\n"
        "{{ task.input.lables }}{% for a in task.input.point.parts %}{% endfor %}\n"
        "{% for i in (0..5) %}{{ task.input.labels[7] }}{% endfor %}{{ nobody.x | upcase }}{{ task.input.nothing.x }}",
        INPUT,
        grant_read_access=link,
    )
    assert page.html.split() == ["1"]
    keys = "it has taskObject, labels, n, on, nothing, half, point, manifestLine"
    assert page.notes == (
        Note(2, f"task.input has no key 'lables'; {keys}. Was 'labels' meant?"),
        Note(2, "task.input.point has no key 'parts'; it has point_number, coords"),
        Note(3, "task.input.labels is a list of 3, it has no item 7"),
        Note(3, "there is no variable 'nobody'"),
        Note(3, "task.input.nothing is null, so it has no 'x'"),
    )


def test_filters_that_do_nothing_are_found():
    content = "{{ a | upcase }}\n{{ b | date: '%Y' | escape }}{% assign c = d | tojson(indent=2) %}"
    assert sorted(unknown_filters(content), key=lambda note: note.problem) == [
        Note(2, "there is no filter 'date': the value passes through unchanged"),
        Note(2, "there is no filter 'tojson': the value passes through unchanged"),
    ]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for i in (1..1000000000) reversed %}{% endfor %}", "a range may reach 10,000 at most"),
        ("{{ (1..1000000000) | join: '' }}", "a range may reach 10,000 at most"),
        ("{% assign n = 1000000000 %}{% for i in (1..n) %}{% endfor %}", "a range may reach 10,000 at most"),
        ("{% assign x = 'aaaaaaaaaaaaaaaaaaaa' %}" + "{% assign x = x | replace: 'a', x %}" * 9, "more than 500,000"),
        ("{% assign x = 'ab' %}" + "{% assign x = x | append: x %}" * 40, "characters|limit reached"),
        ("{% assign x = 9999999999 %}" + "{% assign x = x | times: x %}" * 9, "a number is out of range"),
        (
            "{% assign x = 'aaaaaaaaaaaaaaaaaaaa' | split: '' %}{% assign s = 'b' %}"
            + "{% assign s = s | append: s %}" * 16
            + "{{ x | join: s }}",
            "join: a value has more than 500,000",
        ),
        ("{% for i in (1..9000) %}{{ '' }}{% endfor %}" * 100, "takes more than 200,000 steps"),
        ("{% for i in (1..9000) %}" + "{{ '' }}" * 5000 + "{% endfor %}", "takes more than 200,000 steps"),
        (
            "{% for i in (1..300) %}{% for j in (1..300) %}{% for k in (1..300) %}{% endfor %}{% endfor %}{% endfor %}",
            "loop iteration limit reached|200,000 steps",
        ),
        ("{% for i in (1..9999) %}" + "x" * 1000 + "{% endfor %}", "output stream limit reached"),
        (
            "{% assign s = task.input.big %}{% for i in (1..9000) %}{% assign t = s | upcase %}{% endfor %}",
            "takes more than 200,000 steps",
        ),
    ],
)
def test_templates_beyond_the_budget_are_stopped(template, message):
    with pytest.raises(TemplateError, match=message):
        shown(template, {"big": "x" * 100_000})


def test_a_template_of_a_thousand_boxes_is_fine():
    boxes = [{"left": n, "label": "bee"} for n in range(1000)]
    page = shown("{% for b in task.input %}<p>{{ b.left | plus: 1 }} {{ b.label | upcase }}</p>{% endfor %}", boxes)
    assert page.count("<p>") == 1000 and page.endswith("<p>1000 BEE</p>")


def test_grant_read_access_belongs_to_one_render():
    pages: dict[int, str] = {}

    def work(number: int) -> None:
        for _ in range(50):
            pages[number] = render(
                "{{ task.input | grant_read_access }}", "s3://b/k", grant_read_access=lambda uri: f"{number}:{uri}"
            )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pages == {number: f"{number}:s3://b/k" for number in range(4)}


def test_an_error_of_grant_read_access_is_passed_on():
    def refuse(uri: str) -> str:
        raise PermissionError(uri)

    with pytest.raises(PermissionError):
        render("{{ 's3://other/secret' | grant_read_access }}", {}, grant_read_access=refuse)


def test_input_must_be_json():
    with pytest.raises(TypeError, match="task input must be JSON data, found object"):
        shown("{{ task.input }}", {"x": object()})
