"""SageMaker's Python SDK 2.x against an installation: trains, deploys the model in two ways, and cleans up.

A program of its own, run by a test; prints one line of JSON last.
"""

import waggle_endpoints  # noqa: F401, I001 - before sagemaker

import json
import sys
from pathlib import Path

import meadow
import sagemaker
from sagemaker import image_uris
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.predictor import Predictor
from sagemaker.serializers import IdentitySerializer

folder = Path(sys.argv[1])
session = sagemaker.Session()
role, bucket = sagemaker.get_execution_role(), session.default_bucket()
image = image_uris.retrieve("object-detection", session.boto_region_name)
paths = meadow.draw_meadows(folder, count=8)
truth = meadow.read_truth(folder)
uri = session.upload_data(str(folder / "images"), bucket=bucket, key_prefix="sdk/images")
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
manifest = session.upload_data(str(folder / "train.manifest"), bucket=bucket, key_prefix="sdk")
channel = TrainingInput(
    manifest,
    content_type="application/x-recordio",
    s3_data_type="AugmentedManifestFile",
    record_wrapping="RecordIO",
    attribute_names=["source-ref", "bees"],
    input_mode="Pipe",
)
trainer = Estimator(
    image,
    role,
    instance_count=1,
    instance_type="ml.p3.2xlarge",
    max_run=20,
    input_mode="Pipe",
    output_path=f"s3://{bucket}/sdk/models",
    hyperparameters={"architecture": "compact", "num_classes": 1, "image_shape": 64, "mini_batch_size": 4, "epochs": 1},
)
trainer.fit({"train": channel, "validation": channel}, logs=True, job_name="sdk-two")

# An estimator of a training that somebody else has started, and a model of its archive.
attached = Estimator.attach("sdk-two")
speaks = {"serializer": IdentitySerializer("image/png"), "deserializer": JSONDeserializer()}
model = Model(image, model_data=attached.model_data, role=role, predictor_cls=Predictor, sagemaker_session=session)
first = model.deploy(1, "ml.m5.xlarge", endpoint_name="sdk-two", **speaks)
found = first.predict(paths[0].read_bytes())["prediction"]
found += Predictor("sdk-two", **speaks).predict(paths[1].read_bytes())["prediction"]
model.delete_model()
# The SDK deletes the configuration of an endpoint first.
first.delete_endpoint()
# What the SDK prints while it waits has no end of a line.
print()
print(json.dumps({"role": role, "bucket": bucket, "model": attached.model_data, "rows": [len(row) for row in found]}))
