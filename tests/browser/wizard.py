"""Steps of the wizard of labeling jobs that several browser tests take."""

from collections.abc import Callable

from playwright.sync_api import Page, expect


def up_to_the_workers(page: Page, workers: str) -> None:
    """From the first step, with its data set chosen, through those of a job of boxes to the number of workers."""
    page.get_by_label("Name").fill("bees")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Labels", exact=True).fill("bee\nwasp")
    page.get_by_label("Title").fill("Box every insect")
    page.get_by_label("Description").fill("Bees and wasps on flowers")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Workforce").select_option(label="field-team")
    page.get_by_label("Workers per object").fill(workers)


def launch(
    page: Page,
    name: str,
    task_type: str,
    *,
    title: str,
    description: str,
    on_task: Callable[[Page], None] | None = None,
    on_review: Callable[[Page], None] | None = None,
) -> None:
    """From the first step, with its data set chosen, to the page of a job of two labels for two workers.

    `task_type` is the title of the type; `on_task` and `on_review` do more on these steps.
    """
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label(task_type, exact=True).check()
    page.get_by_label("Labels", exact=True).fill("bee\nwasp")
    if on_task is not None:
        on_task(page)
    page.get_by_label("Title").fill(title)
    page.get_by_label("Description").fill(description)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Workforce").select_option(label="field-team")
    page.get_by_label("Workers per object").fill("2")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    if on_review is not None:
        on_review(page)
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.context.close()
