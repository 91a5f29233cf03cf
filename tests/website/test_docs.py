"""The documentation holds: links lead somewhere, code parses, and what it names is there."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands
from markdown_it import MarkdownIt
from markdown_it.token import Token

from docs.website import navigation, pictures
from docs.website.navigation import ROOT
from marketplace import settings_checks, settings_declared

OTHERS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
OUTSIDE = ("http://", "https://", "mailto:")
ELLIPSIS = re.compile(r",?\s*(?<![\w\"'])(?:\.\.\.|…)(?![\w\"'])")
COMMAND = re.compile(r"(?:manage\.py|waggle manage) ([a-z]\w+)")
SETTING = re.compile(r"\bWAGGLE_[A-Z0-9_]*[A-Z0-9]\b(?!_)")
NOT_SETTINGS = {
    "WAGGLE_DATABASE_TRIES": "of docker/entrypoint.sh",
    "WAGGLE_NODE_FOLDER": "of a machine of a cluster, which loads no settings",
}


def pages() -> list[Path]:
    """Every page that people write."""
    return [ROOT / name for name in dict.fromkeys([*OTHERS, *map(str, navigation.written())])]


def tokens(path: Path) -> Iterator[Token]:
    """All tokens of a page, those inside of paragraphs and tables too."""
    for token in _parsed(path):
        yield token
        yield from token.children or ()


@cache
def _parsed(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text())


def headings(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    found: list[str] = []
    parsed = _parsed(path)
    for before, token in zip(parsed, parsed[1:], strict=False):
        if before.type == "heading_open":
            text = "".join(one.content for one in token.children or () if one.type in ("text", "code_inline"))
            found.append(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    return set(found)


def links(path: Path) -> Iterator[str]:
    """What a page links and shows, beside addresses of the web."""
    for token in tokens(path):
        target = str(token.attrs.get("href" if token.type == "link_open" else "src", ""))
        if target and not target.startswith(OUTSIDE):
            yield target


def blocks(path: Path, *languages: str) -> Iterator[tuple[int, str]]:
    """Line and text of the code blocks in these languages."""
    for token in _parsed(path):
        if token.type == "fence" and token.info.strip() in languages:
            yield (token.map or [0])[0] + 1, token.content


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_links_lead_somewhere():
    broken = []
    made = {f"pictures/{picture.name}.webp" for picture in pictures.PICTURES}
    for path in pages():
        base = ROOT if path.parent == navigation.PAGES else path.parent
        for link in links(path):
            name, _, anchor = link.partition("#")
            if path.parent == navigation.PAGES and (name in made or (navigation.PAGES / name).is_file()):
                continue
            target = (base / name).resolve() if name else path
            if not target.exists():
                broken.append(f"{where(path)}: {link}: there is no {name}")
            elif target.is_dir():
                broken.append(f"{where(path)}: {link}: a folder is no page; link its README.md")
            elif anchor and anchor not in headings(target):
                broken.append(f"{where(path)}: {link}: there is no heading for #{anchor}")
    assert not broken, "\n".join(broken)


def test_every_page_is_in_the_navigation():
    named = set(navigation.written())
    there = (
        path.relative_to(ROOT) for glob in ("docs/*.md", "docker/*.md", "examples/*/*.md") for path in ROOT.glob(glob)
    )
    forgotten = [name for name in there if name not in named]
    assert not forgotten, f"name them in docs/website/navigation.py: {sorted(map(str, forgotten))}"
    assert all((ROOT / name).is_file() for name in named)


def test_the_pictures_that_the_site_shows_are_those_it_makes():
    shown = {link for path in navigation.PAGES.glob("*.md") for link in links(path) if link.startswith("pictures/")}
    assert shown == {f"pictures/{picture.name}.webp" for picture in pictures.PICTURES}


def test_the_pictures_of_the_readme_are_small():
    shown = [link for link in links(ROOT / "README.md") if not link.endswith(".md") and "images/" in link]
    assert len(shown) == 3
    assert {link: size for link in shown if (size := (ROOT / link).stat().st_size) >= 150_000} == {}


@pytest.mark.parametrize(
    ("languages", "parse"),
    [
        (("python", "py"), ast.parse),
        (("json",), lambda text: json.loads(ELLIPSIS.sub("", text))),
        (("yaml", "yml"), yaml.safe_load),
    ],
    ids=["python", "json", "yaml"],
)
def test_code_parses(languages, parse):
    wrong = []
    for path in pages():
        for line, text in blocks(path, *languages):
            try:
                parse(text)
            except (SyntaxError, ValueError, yaml.YAMLError) as error:
                wrong.append(f"{where(path)}:{line}: {error}")
    assert not wrong, "\n".join(wrong)


def test_shell_parses():
    wrong = []
    for path in pages():
        for line, text in blocks(path, "sh", "bash", "console"):
            done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
            if done.returncode:
                wrong.append(f"{where(path)}:{line}: {done.stderr.strip()}")
    assert not wrong, "\n".join(wrong)


def test_commands_exist():
    known = set(get_commands())
    unknown = {
        f"{where(path)}: {name}" for path in pages() for name in COMMAND.findall(path.read_text()) if name not in known
    }
    assert not unknown, "\n".join(sorted(unknown))


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {
        (where(path), name) for path in pages() for name in re.findall(r"[`\n]make ([a-z][a-z-]+)", path.read_text())
    }
    assert {pair for pair in named if pair[1] not in targets} == set()


def test_benchmarks_exist():
    named = {
        (where(path), name)
        for path in pages()
        for name in re.findall(r"(?:make bench NAME=|-m benchmarks\.)(\w+)", path.read_text())
    }
    assert {pair for pair in named if not (ROOT / "benchmarks" / f"{pair[1]}.py").is_file()} == set()


def test_settings_exist():
    declared = {one.name for group in settings_declared.GROUPS.values() for one in group}
    known = declared | set(settings_checks.EARLIER_NAMES) | NOT_SETTINGS.keys()
    unknown = {
        f"{where(path)}: {name}"
        for path in pages()
        if path.name != "CHANGELOG.md"
        for name in SETTING.findall(path.read_text())
        if name not in known and not any(one.startswith(f"{name}_") for one in known)
    }
    assert not unknown, "\n".join(sorted(unknown))


def test_files_of_the_project_exist():
    """Paths of our folders in code style, as `marketplace/fetch.py`; those with a placeholder are left out."""
    rooms = "marketplace|labeling|learning|frontend|tests|benchmarks|docker|examples"
    unknown = {
        f"{where(path)}: {name}"
        for path in pages()
        if path.name != "CHANGELOG.md"
        for name in re.findall(rf"`((?:{rooms})/[\w./-]+)`", path.read_text())
        if not (ROOT / name.rstrip("/")).exists() and not name.startswith("frontend/static/dist")
    }
    assert not unknown, "\n".join(sorted(unknown))


def test_the_navigation_makes_an_index():
    text = navigation.index()
    assert text.count("```{toctree}") == len(navigation.SECTIONS)
    assert all(f"\n{page}\n" in text for pages in navigation.SECTIONS.values() for page in pages)
