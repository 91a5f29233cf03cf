"""No requester names a file of the learner's machine: `weights` is "auto" or "none", `weights_dir` the operator's."""

import pytest

from learning.contract import BadInput, JobFolder
from learning.hyperparameters import parse_train
from learning.models import Model, TrainingJob, TransformJob
from learning.services import training, transforms
from learning.services.active import loops
from learning.services.programs import kinds
from marketplace import storage
from marketplace.errors import Invalid
from marketplace.models import Account

pytestmark = pytest.mark.django_db
PATH = "/srv/others/model.safetensors"


@pytest.fixture
def account():
    return Account.objects.create(name="Bees & Co", number="123456789012")


@pytest.fixture
def manifest(settings, account):
    uri = storage.join(settings.STORE_URL, account.number, "train.manifest")
    storage.write(uri, b'{"source-ref": "file:///nowhere/a.png"}\n')
    return uri


def create_training(account, manifest, **hyperparameters):
    return training.create_training(
        account=account,
        name="bees",
        hyperparameters={"label_attribute_name": "bees"} | hyperparameters,
        channels={"train": {"manifest_uri": manifest}},
        by="user:1",
    )


@pytest.mark.parametrize("weights", [PATH, "weights.safetensors", "file:///srv/a", "", "AUTO"])
def test_a_training_starts_from_no_path(account, manifest, weights):
    with pytest.raises(Invalid, match=r"'weights' is .*allowed: auto, none"):
        create_training(account, manifest, weights=weights)
    assert not TrainingJob.objects.exists()


@pytest.mark.parametrize("name", ["image_max_bytes", "image_max_pixels"])
def test_the_limits_of_images_are_the_operators(account, manifest, name):
    with pytest.raises(Invalid, match=f"'{name}' cannot be set here"):
        create_training(account, manifest, **{name: 1})


@pytest.mark.parametrize("folder", ["/srv/others", ""])
def test_weights_dir_is_refused_by_name(account, manifest, folder):
    with pytest.raises(Invalid, match="'weights_dir' cannot be set here"):
        create_training(account, manifest, weights_dir=folder)
    assert not TrainingJob.objects.exists()


def test_a_prediction_takes_neither(account, manifest):
    model = Model.objects.create(account=account, name="m", architecture="compact", labels=["bee"])
    for name in ("weights", "weights_dir"):
        with pytest.raises(Invalid, match=f"'{name}'"):
            transforms.create_transform(
                account=account,
                name="p",
                model=model,
                manifest_uri=manifest,
                hyperparameters={name: PATH},
                by="user:1",
            )
    assert not TransformJob.objects.exists()


def test_a_loop_starts_from_no_path(account):
    with pytest.raises(Invalid) as refused:
        loops.check_settings(account=account, automated_labeling={"enabled": True, "weights": PATH})
    assert refused.value.errors == [("automated_labeling.weights", f"{PATH!r} found, one of auto, none expected")]
    with pytest.raises(Invalid) as refused:
        loops.check_settings(account=account, automated_labeling={"enabled": True, "weights_dir": "/srv"})
    assert [field for field, _ in refused.value.errors] == ["automated_labeling.weights_dir"]
    assert loops.check_settings(account=account, automated_labeling={"weights": "none"})["weights"] == "none"


def test_what_is_allowed_is_staged_and_the_operators_folder_with_it(account, manifest, settings, tmp_path):
    settings.WEIGHTS_DIR = "/srv/operator"
    run = create_training(account, manifest, weights="none")
    kinds.of(run).stage(run, JobFolder(tmp_path))
    staged = JobFolder(tmp_path).read_hyperparameters()
    assert (staged["weights"], staged["weights_dir"]) == ("none", "/srv/operator")


def test_a_row_older_than_the_check_is_not_staged(account, manifest, tmp_path):
    run = create_training(account, manifest)
    for hyperparameters in ({"weights": PATH}, {"weights_dir": "/srv"}):
        run.hyperparameters = {"label_attribute_name": "bees"} | hyperparameters
        with pytest.raises(BadInput, match=f"'{next(iter(hyperparameters))}'"):
            kinds.of(run).stage(run, JobFolder(tmp_path))
    assert not JobFolder(tmp_path).hyperparameters.exists()


def test_the_program_itself_may_start_from_a_file():
    assert parse_train({"label_attribute_name": "bees", "weights": PATH}).weights == PATH
