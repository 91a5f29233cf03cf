"""The front end reaches the learning app in one place, because an installation may be without it."""

import re

from tests.architecture.test_rules import rooms

REGISTERED = {
    "aws": [
        "endpoint_configs", "endpoints", "hosted_models", "invocations", "model_packages", "package_versions",
        "training_channels",
        "training_jobs", "training_logs", "transform_jobs", "tuning_design", "tuning_jobs",
    ],
    "rest": [
        "endpoint_reviews", "endpoints", "improvement", "models", "registry", "schemas_endpoints",
        "schemas_improvement", "schemas_trainings", "trainings", "transforms", "tunings",
    ],
    "requester": [
        "endpoint_forms", "endpoint_reviews", "endpoints", "improvement", "improvement_forms", "model_comparison",
        "model_imports", "model_registry", "models", "predictions", "training_charts", "training_new", "trainings",
        "transforms", "tuning_charts", "tuning_forms", "tunings",
    ],
}  # fmt: skip
LEARNING_IN_THE_FRONT_END = {
    "frontend/automation.py": "knows whether the learning app is installed",
    **{
        f"frontend/{folder}/{name}.py": "its routes are registered only where the app is installed"
        for folder, names in REGISTERED.items()
        for name in names
    },
    "frontend/improvement_events.py": "its route is registered only where the app is installed",
    "frontend/notice_links.py": "the types of what notices are about; pure",
    "frontend/demo/scenes.py": "paints pictures; pure",
    "frontend/demo/summary.py": "measures quality; pure",
}


def test_the_front_end_reaches_the_learning_app_in_one_place():
    """An installation may be without that app: whatever imports its models elsewhere does not start there."""
    found = {
        path
        for path, text in rooms(".py")
        if path.startswith("frontend/") and re.search(r"^\s*(from|import) learning\b", text, re.M)
    }
    assert found == set(LEARNING_IN_THE_FRONT_END), "ask frontend/automation.py"
