"""Right values for the forms and bodies about golds and conduct."""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from tests.frontend.world import World
from tests.labeling import stories


def forms(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """(address, fields) of each form."""
    ids = world.ids
    job = f"/jobs/{ids['job_id']}/"
    yield from [
        (f"{job}labels/{ids['object_id']}/gold/", {}),
        (f"{job}next/", {"task_type": "VerificationBoundingBox"}),
        (f"{job}price/", {"price": "0.05"}),
        (f"{job}price-ceiling/", {"price_ceiling": "0.05", "wanted_hours": 5}),
        (f"{job}functions/send-again/", {}),
        (f"{job}classes/rename/", {"label": "bee", "name": "honey bee"}),
        (f"{job}classes/merge/", {"label": "wasp", "into": "bee"}),
        (f"{job}golds/options/", {"rate": "10", "mint": 3, "pass_mark": "0.5"}),
        (f"{job}golds/{ids['gold_id']}/confirm/", {}),
        (f"{job}golds/{ids['gold_id']}/withdraw/", {"reason": "a wasp"}),
        (f"{job}reviewers/", {"worker": ids["other_worker_id"]}),
        (f"{job}reviewers/{ids['reviewer_id']}/remove/", {}),
        (reverse("worker:review-sample", args=[ids["reviewed_id"]]), {"size": 2}),
        (reverse("worker:review-decide-some", args=[ids["reviewed_id"]]), {"decision": "reject", "reason": "no"}),
        (reverse("worker:review-decide", args=[ids["reviewed_id"], ids["answer_id"]]), {"decision": "accept"}),
        (reverse("worker:conduct-appeal", args=[ids["finding_id"]]), {"text": "it was right"}),
        (reverse("worker:conduct-read", args=[ids["finding_id"]]), {}),
        (f"/conduct/{ids['finding_id']}/decide/", {"decision": "stand", "text": "no"}),
        ("/conduct/rules/", {"rule": "too-fast", "action": "Pause", "minutes": 5}),
        (f"{job}close-to-worker/", {"worker": ids["worker_id"], "reason": "spam"}),
        (f"/operator/flags/{ids['finding_id']}/decide/", {"decision": "stand", "text": "no"}),
        ("/operator/flags/rules/", {"rule": "too-fast", "action": "Pause", "minutes": 5}),
    ]


def bodies(world: World) -> dict[str, dict[str, Any]]:
    """The JSON body of each operation."""
    rule = {"rule": "too-fast", "action": "Pause", "minutes": 5}
    return {
        "appeal_finding": {"text": "it was right"},
        "decide_finding": {"decision": "stand", "text": "it was not"},
        "decide_any_finding": {"decision": "stand", "text": "it was not"},
        "close_job_to_worker": {"worker": world.ids["worker_id"], "reason": "spam"},
        **dict.fromkeys(("set_conduct_rule", "set_job_conduct_rule", "set_any_conduct_rule"), rule),
        "add_gold": {"object": world.ids["object_id"], "answer": stories.ONE_BEE},
        "correct_gold": {"answer": stories.ONE_BEE},
        "add_reviewer": {"worker": world.ids["other_worker_id"]},
        "sample_answers_to_review": {"size": 2, "label": "bee"},
        "accept_answers_to_review": {"sampled": False},
        "reject_answers_to_review": {"reason": "no", "return_to_worker": True},
        "reject_answer_to_review": {"reason": "no", "return_to_worker": True},
        "withdraw_gold": {"reason": "a wasp"},
        "raise_job_price": {"price": "0.05"},
        "set_price_ceiling": {"price_ceiling": None, "wanted_end": None},
        "send_to_function_again": {"objects": [0]},
        "rename_job_class": {"label": "bee", "name": "honey bee"},
        "merge_job_class": {"label": "wasp", "into": "bee"},
        "change_gold_options": {"rate": 10, "mint": 3, "pass_mark": 0.5},
    }
