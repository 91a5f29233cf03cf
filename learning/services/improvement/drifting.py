"""Whether new images still look as the training images do; told once for each time that they cease to.

The training images are those that were given with the policy, else the fixed test set. Their features are measured with
the live model, some at each step, and again for every new one.
"""

from dataclasses import asdict
from datetime import timedelta

import numpy as np
from django.db import transaction
from django.utils import timezone

from learning.models import ImprovementPolicy
from learning.selection import drift
from learning.services.hosting.invoke import MAX_BODY_BYTES
from learning.services.improvement import features, runs, sets
from learning.services.improvement.creating import live_model
from marketplace import storage
from marketplace.errors import Invalid, NotFound
from marketplace.services import boundaries

MEASURED = 100
"""Training images, evenly spread, that are measured; and as many of the newest incoming ones."""

AT_ONCE = 10
LOOK_AGAIN = timedelta(minutes=10)


def check(policy: ImprovementPolicy) -> bool:
    """Measure some training images, or compare; whether there is more to measure. Raises what the endpoint raises."""
    if policy.drift_checked_at is not None and policy.drift_checked_at + LOOK_AGAIN > timezone.now():
        return False
    model = live_model(policy)
    incoming = policy.detections.filter(model=model).exclude(features={})
    if policy.endpoint is None or policy.endpoint.status != "InService" or incoming.count() < drift.LEAST:
        return False
    if policy.reference.get("model") != model.pk:
        policy.reference = {"model": model.pk, "place": 0, "rows": [], "done": False}
    if not policy.reference["done"]:
        _measure(policy)
        policy.save(update_fields=["reference"])
        return True
    rows = [
        [row.get(name, np.nan) for name in features.FEATURES]
        for row in incoming.order_by("-pk").values_list("features", flat=True)[:MEASURED]
    ]
    judge(policy, np.array(policy.reference["rows"], dtype=np.float64), np.array(rows, dtype=np.float64))
    return False


def _measure(policy: ImprovementPolicy) -> None:
    images = sets.read(policy.base_uri or policy.fixed_uri)
    chosen = [images[place] for place in sorted({int(n) for n in np.linspace(0, len(images) - 1, MEASURED)})]
    begin = policy.reference["place"]
    model, reader = live_model(policy), boundaries.Reader(policy.account)
    for one in chosen[begin : begin + AT_ONCE]:
        policy.reference["place"] += 1
        if policy.endpoint is None or reader.refusal(one.uri):
            continue
        try:
            image = storage.read(one.uri, limit=MAX_BODY_BYTES)
            policy.reference["rows"].append(features.look(policy.endpoint, model, image).features)
        except (Invalid, NotFound):
            # One training image that is gone does not keep the others from being compared.
            continue
    policy.reference["done"] = policy.reference["place"] >= len(chosen)


def judge(policy: ImprovementPolicy, reference: np.ndarray, incoming: np.ndarray) -> None:
    """Compare both, each of shape (images, features); keep the result, and tell of the beginning of a drift."""
    if not len(reference):
        return
    found = drift.compare(reference, incoming, features.FEATURES)
    drifts = [one for one in found if one.drifts]
    with transaction.atomic():
        row = ImprovementPolicy.objects.select_for_update(no_key=True, of=("self",)).get(pk=policy.pk)
        row.drift = {
            "reference": len(reference), "incoming": len(incoming), "features": [asdict(one) for one in found],
        }  # fmt: skip
        row.drift_checked_at = timezone.now()
        if drifts and row.drifting_since is None:
            row.drifting_since = timezone.now()
            worst = min(drifts, key=lambda one: one.p)
            runs.tell(
                row,
                f"finds that new images differ from the training images: {worst.feature} is {worst.incoming:.3g} on "
                f"average, not {worst.reference:.3g} (Kolmogorov-Smirnov test, corrected p = {worst.p:.2g})",
            )
        elif not drifts:
            row.drifting_since = None
        row.save(update_fields=["drift", "drift_checked_at", "drifting_since"])
    policy.refresh_from_db()
