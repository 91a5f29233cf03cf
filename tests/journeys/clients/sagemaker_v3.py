"""SageMaker's Python SDK 3.x against an installation: trains by ModelTrainer, then serves the model by its resources.

A program of its own, run by a test; prints one line of JSON last.
"""

import waggle_endpoints  # noqa: F401, I001 - before sagemaker

import json
import logging
import sys
from pathlib import Path

import meadow
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, OutputDataConfig, ProductionVariant, S3DataSource
from sagemaker.core.training.configs import Compute, InputData, StoppingCondition
from sagemaker.train.model_trainer import ModelTrainer

# The SDK leaves it to the program where its log goes, in which that of the training is.
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
folder = Path(sys.argv[1])
session = Session()
role, bucket = get_execution_role(), session.default_bucket()
image = image_uris.retrieve("object-detection", session.boto_region_name)
paths = meadow.draw_meadows(folder, count=8)
truth = meadow.read_truth(folder)
uri = session.upload_data(str(folder / "images"), bucket=bucket, key_prefix="sdk3/images")
lines = [
    {
        "source-ref": f"{uri}/{path.name}",
        "bees": {
            "image_size": [{"width": 128, "height": 128, "depth": 3}],
            "annotations": [{"class_id": 0, **box} for _, box in truth[path.name]],
        },
        "bees-metadata": {"class-map": {"0": "bee"}, "type": "groundtruth/object-detection"},
    }
    for path in paths
]
(folder / "train.manifest").write_text("\n".join(map(json.dumps, lines)))
manifest = session.upload_data(str(folder / "train.manifest"), bucket=bucket, key_prefix="sdk3")
source = S3DataSource(
    s3_data_type="AugmentedManifestFile",
    s3_uri=manifest,
    s3_data_distribution_type="FullyReplicated",
    attribute_names=["source-ref", "bees"],
)
trainer = ModelTrainer(
    training_image=image,
    role=role,
    sagemaker_session=session,
    base_job_name="sdk-three",
    compute=Compute(instance_type="ml.p3.2xlarge", instance_count=1),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=20),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/sdk3/models"),
    hyperparameters={"architecture": "compact", "num_classes": 1, "image_shape": 64, "mini_batch_size": 4, "epochs": 1},
)
trainer.train([InputData(channel_name=name, data_source=source) for name in ("train", "validation")], logs=True)
artifact = trainer._latest_training_job.model_artifacts.s3_model_artifacts

container = ContainerDefinition(image=image, model_data_url=artifact)
model = Model.create(model_name="sdk-three", primary_container=container, execution_role_arn=role)
variant = ProductionVariant(
    variant_name="AllTraffic", model_name="sdk-three", initial_instance_count=1, instance_type="ml.m5.xlarge"
)
config = EndpointConfig.create(endpoint_config_name="sdk-three", production_variants=[variant])
endpoint = Endpoint.create(endpoint_name="sdk-three", endpoint_config_name="sdk-three")
endpoint.wait_for_status("InService", poll=3)
answer = endpoint.invoke(body=paths[0].read_bytes(), content_type="image/png")
found = json.loads(answer.body.read())["prediction"]
endpoint.delete()
config.delete()
model.delete()
# What the SDK prints while it waits has no end of a line.
print()
print(json.dumps({"role": role, "bucket": bucket, "model": artifact, "rows": [len(row) for row in found]}))
