"""Steps of the wizard of labeling jobs that several browser tests take."""

from playwright.sync_api import Page


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
