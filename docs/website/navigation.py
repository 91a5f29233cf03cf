"""The navigation of the site: every page of docs/, and those that the build makes, in sections. Pure."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = Path(__file__).parent / "pages"
"""Pages that are of the site alone, because they show pictures that the build makes."""

SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": ("what-it-is", "docs/install", "docs/tutorial", "docs/glossary"),
    "For your role": (
        "docs/guide-requester",
        "docs/guide-worker",
        "docs/guide-vendor",
        "docs/guide-operator",
        "docs/guide-ml-engineer",
    ),
    "Moving here": (
        "docs/migrate-from-aws",
        "docs/migrate-from-cvat",
        "docs/migrate-from-label-studio",
        "docs/aws",
        "docs/import-labels",
        "docs/inaturalist",
    ),
    "Labeling": (
        "docs/task-types",
        "docs/label-attributes",
        "docs/templates",
        "docs/functions",
        "docs/forecast",
        "docs/human-review",
        "docs/label-errors",
        "docs/exports",
        "examples/templates/README",
        "examples/functions/README",
        "examples/notebooks/README",
    ),
    "People, quality, money": (
        "docs/people",
        "docs/quality",
        "docs/reviews",
        "docs/panels",
        "docs/vendors",
        "docs/payouts",
        "docs/money",
        "docs/notices",
    ),
    "Models": (
        "docs/learning",
        "docs/improvement",
        "docs/training",
        "docs/training-input",
        "docs/training-speed",
        "docs/tuning",
        "docs/models",
        "docs/endpoints",
    ),
    "How it works": ("docs/evidence", "docs/consensus", "docs/architecture", "docs/security"),
    "Operation": (
        "docs/web-server",
        "docs/monitoring",
        "docs/backup",
        "docs/upgrading",
        "docs/retention",
        "docs/scale",
        "docs/ray",
        "docs/local-s3",
        "docker/README",
    ),
    "Reference": (
        "docs/settings",
        "docs/metrics",
        "reference/commands",
        "reference/rest",
        "reference/task-types",
        "docs/aws-compatibility",
        "docs/crowd-elements",
        "docs/events",
        "reference/events",
    ),
    "Taking part": (
        "docs/extending",
        "docs/translating",
        "CONTRIBUTING",
        "frontend/elements/README",
        "docs/dependencies",
        "CHANGELOG",
    ),
}
GENERATED = tuple(page for pages in SECTIONS.values() for page in pages if page.startswith("reference/"))


def written() -> list[Path]:
    """The files of all pages that people write, relative to the project."""
    named = [page for pages in SECTIONS.values() for page in pages if page not in GENERATED]
    return [source(page) for page in named]


def source(page: str) -> Path:
    """The file of a page, relative to the project: in docs/ and the like, or among the site's own."""
    own = PAGES / f"{page}.md"
    return own.relative_to(ROOT) if own.exists() else Path(f"{page}.md")


def index() -> str:
    """The first page, whose lists of pages Sphinx makes the navigation of."""
    lists = [
        f"```{{toctree}}\n:caption: {caption}\n:hidden:\n\n" + "\n".join(pages) + "\n```"
        for caption, pages in SECTIONS.items()
    ]
    return (PAGES / "index.md").read_text() + "\n" + "\n\n".join(lists) + "\n"
