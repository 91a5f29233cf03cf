"""What programs written for AWS ask of trainings, for the tests of training and tuning jobs."""

from typing import Any

from marketplace.services import boundaries
from tests import builders
from tests.frontend.aws.clients import Aws

IMAGE = "825641698319.dkr.ecr.us-east-2.amazonaws.com/object-detection:latest"
CLASSES = {"class-map": {"0": "bee"}, "type": "groundtruth/object-detection"}


def a_channel(aws: Aws, name: str = "train", *, images: int = 3) -> dict[str, Any]:
    """A channel with an augmented manifest of images with a box each, as notebooks have it."""
    box = {"class_id": 0, "left": 2, "top": 2, "width": 20, "height": 15}
    size = {"width": 48, "height": 32, "depth": 3}
    lines = [
        {"source-ref": uri, "bees": {"image_size": [size], "annotations": [box]}, "bees-metadata": CLASSES}
        for uri in builders.tiny_images(images, account=aws.account)
    ]
    return {
        "ChannelName": name,
        "ContentType": "application/x-recordio",
        "CompressionType": "None",
        "RecordWrapperType": "RecordIO",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "AugmentedManifestFile",
                "S3Uri": builders.a_manifest(aws.account, lines),
                "S3DataDistributionType": "FullyReplicated",
                "AttributeNames": ["source-ref", "bees"],
            }
        },
    }


def a_training(aws: Aws, name: str = "bees-1", **changed: Any) -> dict[str, Any]:
    """A request for a training, as AWS's example of object detection sends it."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "Pipe"},
        "RoleArn": f"arn:aws:iam::{aws.account.number}:role/training",
        "InputDataConfig": [a_channel(aws)],
        "OutputDataConfig": {"S3OutputPath": f"{boundaries.base_of(aws.account)}/out/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.p3.2xlarge", "VolumeSizeInGB": 50},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "HyperParameters": {
            "base_network": "resnet-50",
            "use_pretrained_model": "1",
            "num_classes": "1",
            "mini_batch_size": "1",
            "epochs": "30",
            "learning_rate": "0.001",
            "optimizer": "sgd",
            "image_shape": "300",
            "label_width": "350",
            "num_training_samples": "3",
        },
        "Tags": [{"Key": "hive", "Value": "north"}],
        **changed,
    }
