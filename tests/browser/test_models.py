"""A detector of elsewhere in a real browser of either size: taken in, approved, compared, and its labels corrected."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from labeling.models import Dataset
from labeling.services.intake import datasets
from learning.models import Model, ModelImport, TransformJob
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from marketplace.models import Account, User
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.drawing import PHONE
from tests.browser.test_functions_and_masks import seen
from tests.browser.test_import_labels import a_file
from tests.learning.serving.foreign_models import a_network, described

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Supervisor]:
    """The real supervisor with the real programs; the test lets it work."""
    supervisor = Supervisor(executor=LocalExecutor(), slots=2, root=tmp_path / "programs")
    yield supervisor
    supervisor.shut_down()


def until(done: Callable[[], bool], learner: Supervisor) -> None:
    deadline = time.monotonic() + 240
    while not done():
        assert time.monotonic() < deadline, "the learner never got there"
        learner.step()
        time.sleep(0.1)


def a_set(account: Account, tmp_path: Path) -> Dataset:
    """Two red pictures and a dark one."""
    base = Path(builders.tiny_images(1, account=account)[0].removeprefix("file://")).parent
    lines = []
    for name, red in (("a", 255), ("b", 255), ("c", 51)):
        Image.new("RGB", (320, 160), (red, 0, 0)).save(base / f"{name}.png")
        lines.append({"source-ref": (base / f"{name}.png").as_uri()})
    return builders.a_dataset(account=account, kind="manifest", uri=builders.a_manifest(account, lines), name="reds")


def import_one(page: Page, tmp_path: Path, name: str, **description: float) -> None:
    """Fill in the form of an import, as far as the page of its progress."""
    a_network(tmp_path / "model.onnx")
    files = [
        a_file("model.onnx", (tmp_path / "model.onnx").read_bytes()),
        a_file("config.json", json.dumps(described(**description)).encode()),
    ]
    page.set_input_files("input[name=files]", files)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Group").fill("reds")
    page.get_by_role("button", name="Import the detector").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("In progress")


@pytest.mark.parametrize("size", [{}, PHONE], ids=["wide", "phone"])
def test_a_detector_of_elsewhere_is_taken_in_and_put_to_use(
    visit: Visit, owner: User, account: Account, learner: Supervisor, tolerated: list[str], tmp_path: Path, size: dict
) -> None:
    tolerated += ["Applying inline style"]  # axe's own, while it measures
    a_set(account, tmp_path)
    page = visit(owner, reverse("requester:models"), **size)
    page.get_by_role("link", name="Import a detector").click()
    seen(page, tmp_path / "import.png")
    import_one(page, tmp_path, "bright")
    until(lambda: ModelImport.objects.filter(status="Completed").exists(), learner)
    expect(page.get_by_text("The network runs")).to_be_visible(timeout=20_000)
    seen(page, tmp_path / "imported.png")
    page.get_by_role("link", name="Open the model").click()
    expect(page.get_by_text("Trained elsewhere")).to_be_visible()

    page.get_by_label("Decision").select_option("Approved")
    page.get_by_label("Comment").fill("finds wasps")
    page.get_by_role("button", name="Keep the decision").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Approved")
    expect(page.get_by_text("finds wasps").first).to_be_visible()
    seen(page, tmp_path / "model.png")

    page.goto(page.url.split("/models/")[0] + reverse("requester:model-import-new"))
    import_one(page, tmp_path, "dim", input_scale=1 / 510)
    until(lambda: ModelImport.objects.filter(status="Completed").count() == 2, learner)
    # The page follows by itself; leaving it while it does would cut that short.
    expect(page.get_by_text("The network runs")).to_be_visible(timeout=20_000)
    bright, dim = Model.objects.order_by("pk")
    assert [(one.group.name, one.version) for one in (bright, dim)] == [("reds", 1), ("reds", 2)]

    page.goto(page.url.split("/models/")[0] + reverse("requester:model", args=[bright.pk]))
    page.get_by_role("link", name="Predict a data set").click()
    page.get_by_label("Name", exact=True).fill("first-look")
    seen(page, tmp_path / "predict.png")
    page.get_by_role("button", name="Predict").click()
    until(lambda: TransformJob.objects.filter(status="Completed").exists(), learner)
    expect(page.get_by_role("heading", name="Output")).to_be_visible(timeout=20_000)
    with page.expect_download() as fetched:
        page.get_by_role("link", name="output.manifest").click()
    assert len(fetched.value.path().read_text().splitlines()) == 3
    seen(page, tmp_path / "output.png")
    page.get_by_label("Name of the data set").fill("to-correct")
    page.get_by_role("button", name="Make the data set").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("to-correct")
    made = Dataset.objects.get(name="to-correct")
    datasets.advance_dataset(made.pk)
    made.refresh_from_db()
    assert (made.status, made.objects_total) == ("Completed", 3)
    # As above.
    expect(page.get_by_role("heading", level=1)).to_contain_text("Completed", timeout=20_000)

    compare(page, learner, page.url.split("/datasets/")[0])
    seen(page, tmp_path / "comparison.png")

    page.goto(page.url.split("/models/")[0] + reverse("requester:models"))
    seen(page, tmp_path / "models.png")
    page.get_by_role("link", name="dim").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete the model").click()
    expect(page.get_by_text("The model dim is deleted.")).to_be_visible()


def compare(page: Page, learner: Supervisor, site: str) -> None:
    """Compare both models over the pictures, of which the first has predicted them already."""
    page.goto(site + reverse("requester:model-comparison"))
    page.get_by_label("Model", exact=True).select_option("bright")
    page.get_by_label("Compared with").select_option("dim")
    page.get_by_label("Images of the data set").select_option("reds")
    page.get_by_role("button", name="Compare").click()
    until(lambda: TransformJob.objects.filter(status="Completed").count() == 2, learner)
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("They disagree about 2 of 3 images")).to_be_visible()
    expect(page.locator("waggle-boxes-view")).to_have_count(2)
