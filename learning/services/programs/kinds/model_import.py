"""Imports of detectors that were trained elsewhere: a model comes out when its network runs."""

from collections.abc import Callable

from learning import transitions
from learning.contract import MODEL, JobFolder, ModelConfig
from learning.models import ModelImport
from learning.services import registry
from learning.services.programs import staging
from learning.services.programs.kinds.interface import Fields, ProgramKind
from learning.serving.importing import DESCRIPTION


class ModelImportKind(ProgramKind[ModelImport]):
    """Runs learning.serving.importing on the files that were sent."""

    model = ModelImport
    machine = transitions.MODEL_IMPORT
    module = "learning.serving.importing"
    # Before all others: it takes seconds, and somebody waits for it.
    priority = 6

    def stage(self, run: ModelImport, folder: JobFolder) -> None:
        """See ProgramKind.stage."""
        target = folder.channel(MODEL)
        target.mkdir(parents=True, exist_ok=True)
        staging.download(run.channels[MODEL]["onnx_uri"], target / "model.onnx")
        staging.download(run.channels[MODEL]["config_uri"], target / DESCRIPTION)
        folder.prepare(hyperparameters=run.hyperparameters, channels={MODEL: {}})

    def keep_result(self, run: ModelImport, folder: JobFolder) -> Callable[[], Fields]:
        """See ProgramKind.keep_result: the model goes into the store, and into the registry with the run's end."""
        config = ModelConfig.read(folder.model)
        artifact, parts = registry.upload(account=run.account, name=run.name, folder=folder.model)
        return lambda: {
            "model": registry.register(
                account=run.account,
                name=run.name,
                config=config,
                artifact_uri=artifact,
                parts_uri=parts,
                group_name=run.group_name,
                lineage={"imported": run.name},
            )
        }
