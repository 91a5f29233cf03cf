"""The limits of forms and of REST requests are those that the services declare; none is written down twice."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from rest_framework import serializers

import frontend
from frontend.requester import datasets, imports, jobs
from frontend.requester.automation_fields import ARCHITECTURES
from frontend.requester.fields import SelectionFields
from frontend.requester.job_forms import HOUR, MINUTE
from frontend.requester.template_fields import SCRIPT_HOSTS_TEXT
from labeling.services import bonuses, panel_sessions
from labeling.services.conduct import acting, policies
from labeling.services.functions import choosing, failures
from labeling.services.golds import keeping, options
from labeling.services.imports import limits as import_limits
from labeling.services.intake import inaturalist, selection, sources
from labeling.services.jobs import kept_templates, label_configs, limits
from labeling.services.output import exports, rows
from labeling.services.qualifications import making
from labeling.services.queue import assignments
from labeling.services.results import appeals, deciding, review_lists
from learning import contract
from learning.services.active.loop_settings import RANGES
from marketplace import arns, money, names, strict
from marketplace.models import Worker
from marketplace.ranges import Range
from marketplace.services import (
    access_keys,
    accounts,
    billing,
    boundaries,
    contracts,
    debts,
    eligibility,
    erasure,
    identity_providers,
    invitation_lists,
    invoices,
    notifications,
    panels,
    passwords,
    payouts,
    people,
    profiles,
    qualifications,
    requirements,
    saml_providers,
    team_access,
    vendor_listings,
    wallet_refunds,
    wallets,
    webhooks,
    workteams,
)
from tests.frontend import events_world, learning_ranges, review_world

OURS = "frontend."
WORKER_ID_LENGTH = Worker._meta.get_field("public_id").max_length
# The declared limits by field name, or by class and field name where a name has two meanings.
DECLARED: dict[str, Range] = {
    **{name: RANGES[name] for name in ("target_iou", "seed_size", "batch_size", "max_rounds", "validation_share")},
    **{name: RANGES[name] for name in ("target_quality", "least_saving", "box_cost", "batch_boxes")},
    **{name: RANGES[name] for name in ("target_error", "right_iou")},
    **{name: RANGES[name] for name in ("train_seconds", "image_size", "seed", "confidence", "random_share", "epochs")},
    **{name: RANGES[name] for name in ("audit_share", "audit_width")},
    "amount": money.TEXT_LENGTH,
    "attribute_names[]": limits.LABEL_ATTRIBUTE_NAME_LENGTH,
    "availability_hours": Range(limits.AVAILABILITY_SECONDS.low / HOUR, limits.AVAILABILITY_SECONDS.longest / HOUR),
    "caption": limits.CAPTION_LENGTH,
    "display_name": accounts.DISPLAY_NAME_LENGTH,
    "description": limits.DESCRIPTION_LENGTH,
    "expected_seconds": limits.EXPECTED_SECONDS,
    "full": limits.FULL_INSTRUCTIONS_LENGTH,
    "images_uri": boundaries.URI_LENGTH,
    "initial_model": arns.LENGTH,
    "ModelChannel.name": arns.LENGTH,
    "input_manifest_uri": boundaries.URI_LENGTH,
    "keywords": limits.KEYWORDS,
    "keywords[]": limits.KEYWORD_LENGTH,
    "label_attribute_name": limits.LABEL_ATTRIBUTE_NAME_LENGTH,
    "audit_label_attribute_name": limits.LABEL_ATTRIBUTE_NAME_LENGTH,
    "labels[]": limits.LABEL_LENGTH,
    "licenses": inaturalist.LICENSES_COUNT,
    "label_category_config": label_configs.LENGTH,
    "label_category_config_uri": boundaries.URI_LENGTH,
    "max_concurrent_tasks": limits.MAX_CONCURRENT_TASKS,
    "max_human_labeled_objects": limits.MAX_HUMAN_LABELED_OBJECTS,
    "max_percentage_labeled": limits.MAX_PERCENTAGE_LABELED,
    "max_spend": money.TEXT_LENGTH,
    "name": names.LENGTH,
    **dict.fromkeys(("new_password", "new_password1", "new_password2", "old_password"), passwords.LENGTH),
    **dict.fromkeys(("password", "password_again"), passwords.LENGTH),
    "objects": limits.OBJECTS,
    "output_uri": boundaries.URI_LENGTH,
    "percent": selection.PERCENT,
    "count": selection.COUNT,
    "price": money.TEXT_LENGTH,
    "price_ceiling": money.TEXT_LENGTH,
    "wanted_hours": limits.WANTED_HOURS,
    "read_attribute": limits.LABEL_ATTRIBUTE_NAME_LENGTH,
    "reason": assignments.REASON_LENGTH,
    "label": limits.LABEL_LENGTH,
    "into": limits.LABEL_LENGTH,
    "RenameForm.name": limits.LABEL_LENGTH,
    "RenameInput.name": limits.LABEL_LENGTH,
    "most_agreement": review_lists.AGREEMENT,
    "review_days": limits.REVIEW_DAYS,
    "size": review_lists.SAMPLE,
    "hosts": SCRIPT_HOSTS_TEXT,
    "sample": kept_templates.SAMPLE_LENGTH,
    "script_hosts": limits.SCRIPT_HOSTS,
    "script_hosts[]": limits.SCRIPT_HOST_LENGTH,
    "template": limits.TEMPLATE_LENGTH,
    "pre_human_task_function": choosing.PATH_LENGTH,
    "annotation_consolidation_function": choosing.PATH_LENGTH,
    "function_secret": choosing.SECRET_LENGTH,
    "SendAgainInput.objects": failures.AT_ONCE,
    "SendAgainInput.objects[]": failures.INDEX,
    "text": appeals.TEXT_LENGTH,
    "worker": review_lists.WORKER_LENGTH,
    "hours": review_lists.HOURS,
    "rate": options.RATE,
    "golds_rate": options.RATE,
    "attribute": limits.LABEL_ATTRIBUTE_NAME_LENGTH,
    "golds_attribute": limits.LABEL_ATTRIBUTE_NAME_LENGTH,
    "most": options.MOST,
    "mint": options.MINT,
    "golds_mint": options.MINT,
    "pass_mark": options.PASS_MARK,
    "WithdrawForm.reason": keeping.REASON_LENGTH,
    "WithdrawalInput.reason": keeping.REASON_LENGTH,
    **dict.fromkeys(("moves", "trusted", "untrusted", "keys"), assignments.COUNTED),
    **dict.fromkeys(("focus_seconds", "active_seconds"), assignments.SECONDS),
    "minutes": policies.MINUTES,
    **dict.fromkeys(("CloseForm.reason", "CloseJobInput.reason"), acting.REASON_LENGTH),
    "DecisionForm.reason": deciding.REASON_LENGTH,
    "RejectionInput.reason": deciding.REASON_LENGTH,
    "RejectSomeInput.reason": deciding.REASON_LENGTH,
    "reference": wallets.REFERENCE_LENGTH,
    "routing_rule": limits.ROUTING_RULE_LENGTH,
    "billing_address": billing.ADDRESS_LENGTH,
    "billing_name": billing.NAME_LENGTH,
    "tax_number": billing.NUMBER_LENGTH,
    "token": bonuses.TOKEN_LENGTH,
    "BonusForm.reason": bonuses.REASON_LENGTH,
    "BonusForm.worker": Range(1, WORKER_ID_LENGTH),
    "BonusInput.reason": bonuses.REASON_LENGTH,
    "BonusInput.worker": Range(1, WORKER_ID_LENGTH),
    "ChargebackForm.reason": debts.REASON_LENGTH,
    "ChargebackInput.reason": debts.REASON_LENGTH,
    "RefusalInput.reason": wallet_refunds.REASON_LENGTH,
    "TaxForm.label": billing.LABEL_LENGTH,
    "TaxForm.percent": billing.PERCENT_LENGTH,
    "TaxInput.label": billing.LABEL_LENGTH,
    "TaxInput.percent": billing.PERCENT_LENGTH,
    "seconds": assignments.SECONDS,
    "short": limits.SHORT_INSTRUCTIONS_LENGTH,
    "start": limits.START,
    "target_confidence": limits.TARGET_CONFIDENCE,
    "task_availability_seconds": limits.AVAILABILITY_SECONDS,
    "task_time_limit_seconds": limits.TASK_TIME_LIMIT_SECONDS,
    "time_limit_minutes": limits.TASK_TIME_LIMIT_SECONDS.in_units(MINUTE),
    "title": limits.TITLE_LENGTH,
    "uri": boundaries.URI_LENGTH,
    "holder": payouts.TEXT_LENGTH,
    "destination": payouts.TEXT_LENGTH,
    "where": selection.CONDITION_LENGTH,
    "workers": limits.WORKERS,
    "workers_per_object": limits.WORKERS_PER_OBJECT,
    **{f"{kind}_code": panels.CODE_LENGTH for kind in panels.EXITS},
    **{f"{kind}_url": panels.URL_LENGTH for kind in panels.EXITS},
    **{f"{part}_parameter": panels.PARAMETER_LENGTH for part in ("participant", "study", "session")},
    "tasks_per_session": panels.TASKS,
    "session_minutes": panels.MINUTES,
    "sessions_wanted": panels.SESSIONS,
    "consent": panels.CONSENT_LENGTH,
    "provider_fee_percent": panels.FEE_PERCENT,
    "reward": money.TEXT_LENGTH,
    "RejectForm.reason": panel_sessions.REASON_LENGTH,
    "RejectSessionInput.reason": panel_sessions.REASON_LENGTH,
    "PayoutFailedInput.reason": payouts.REASON_LENGTH,
    "ListingInput.title": vendor_listings.TITLE_LENGTH,
    "ListingForm.title": vendor_listings.TITLE_LENGTH,
    "ListingInput.description": vendor_listings.DESCRIPTION_LENGTH,
    "ListingForm.description": vendor_listings.DESCRIPTION_LENGTH,
    "ListingForm.languages": vendor_listings.LANGUAGES_LENGTH,
    "services": vendor_listings.TEXT_LENGTH,
    "certifications": vendor_listings.TEXT_LENGTH,
    "languages": vendor_listings.LANGUAGES,
    "languages[]": vendor_listings.LANGUAGE_LENGTH,
    "language": vendor_listings.LANGUAGE_LENGTH,
    "turnaround_hours": vendor_listings.TURNAROUND_HOURS,
    "revision": vendor_listings.REVISIONS,
    "RefuseListingInput.reason": vendor_listings.REASON_LENGTH,
    "InvoicePaidInput.reference": invoices.REFERENCE_LENGTH,
    "manifest_uri": boundaries.URI_LENGTH,
    "validation_uri": boundaries.URI_LENGTH,
    "note": contracts.NOTE_LENGTH,
    "version": contracts.VERSIONS,
    "AccountForm.account": accounts.ACCOUNT_NAME_LENGTH,
    "AccountInput.name": accounts.ACCOUNT_NAME_LENGTH,
    **{f"{one}.name": qualifications.NAME_LENGTH for one in ("TypeForm", "TestForm", "QualificationTypeInput")},
    **{
        f"{one}.description": qualifications.DESCRIPTION_LENGTH
        for one in ("TypeForm", "TestForm", "QualificationTypeInput", "QualificationChangeInput")
    },
    **{f"{one}.time_limit_minutes": making.TIME_LIMIT_MINUTES for one in ("TestForm", "QualificationTestInput")},
    **{f"{one}.worker": Range(1, WORKER_ID_LENGTH) for one in ("GrantForm", "RevokeForm", "GrantInput")},
    **{f"{one}.reason": qualifications.REASON_LENGTH for one in ("RevokeForm", "RevocationInput")},
    "mark": qualifications.TASKS,
    "valid_days": qualifications.VALID_DAYS,
    "retry_hours": qualifications.RETRY_HOURS,
    "most_attempts": qualifications.ATTEMPTS,
    "questions": making.QUESTIONS,
    "training": making.TRAINING,
    "instructions": making.INSTRUCTIONS_LENGTH,
    "value": requirements.VALUE,
    "qualification_least": requirements.VALUE,
    "integer_values": requirements.VALUES,
    "integer_values[]": requirements.VALUE,
    "head_start_minutes": requirements.HEAD_START_MINUTES,
    "BlockInput.reason": eligibility.REASON_LENGTH,
    "BlockInput.worker": Range(1, WORKER_ID_LENGTH),
    "ExclusionInput.reason": people.REASON_LENGTH,
    "PersonForm.account": accounts.ACCOUNT_NAME_LENGTH,
    "ReasonForm.reason": people.REASON_LENGTH,
    "ResetInput.token": passwords.LENGTH,
    "ResetInput.uid": passwords.LENGTH,
    "SelectionInput.seed": selection.SEED,
    "JobSelectionInput.seed": selection.SEED,
    "SuspendForm.reason": eligibility.REASON_LENGTH,
    "SuspendForm.worker": Range(1, WORKER_ID_LENGTH),
    "TeamForm.description": workteams.DESCRIPTION_LENGTH,
    **dict.fromkeys(("TokenForm.name", "TokenInput.name"), accounts.TOKEN_NAME_LENGTH),
    **dict.fromkeys(("AccessKeyForm.name", "AccessKeyInput.name"), access_keys.NAME_LENGTH),
    "UserInput.account": accounts.ACCOUNT_NAME_LENGTH,
    "WorkteamInput.description": workteams.DESCRIPTION_LENGTH,
    "WebhookForm.url": webhooks.URL_LENGTH,
    "WebhookForm.description": webhooks.DESCRIPTION_LENGTH,
    "WebhookInput.url": webhooks.URL_LENGTH,
    "WebhookInput.description": webhooks.DESCRIPTION_LENGTH,
    "WebhookInput.kinds": webhooks.KINDS_COUNT,
    "WebhookChangeInput.url": webhooks.URL_LENGTH,
    "WebhookChangeInput.description": webhooks.DESCRIPTION_LENGTH,
    "WebhookChangeInput.kinds": webhooks.KINDS_COUNT,
    "NoticesReadInput.ids": notifications.READ_AT_ONCE,
    "NoticesReadInput.ids[]": strict.KEYS,
    "threshold": money.TEXT_LENGTH,
    "FinishInput.account": accounts.ACCOUNT_NAME_LENGTH,
    "FinishInput.secret": passwords.LENGTH,
    "InviteForm.emails": invitation_lists.TEXT_LENGTH,
    "NetworksForm.source_cidrs": team_access.NETWORKS_LENGTH,
    "account_name": accounts.ACCOUNT_NAME_LENGTH,
    "content_classifiers": limits.CERTIFICATES,
    "emails": invitation_lists.ADDRESSES,
    "emails[]": invitation_lists.ADDRESS_LENGTH,
    **dict.fromkeys(("ProfileInput.languages", "FinishInput.languages"), profiles.LANGUAGES),
    "organization": accounts.ORGANIZATION_LENGTH,
    "client_id": identity_providers.CLIENT_ID_LENGTH,
    "client_secret": identity_providers.CLIENT_SECRET_LENGTH,
    "issuer": identity_providers.ISSUER_LENGTH,
    "slug": team_access.SLUG_LENGTH,
    **{
        f"{protocol}{name}": length
        for protocol in ("Provider", "SamlProvider", "Registration")
        for name, length in (
            ("Form.domains", identity_providers.DOMAINS_LENGTH),
            ("Form.name", identity_providers.NAME_LENGTH),
            ("Input.domains", identity_providers.DOMAINS),
            ("Input.domains[]", identity_providers.DOMAIN_LENGTH),
            ("Input.name", identity_providers.NAME_LENGTH),
        )
    },
    "certificate": saml_providers.CERTIFICATE_LENGTH,
    "entity_id": saml_providers.ENTITY_ID_LENGTH,
    "metadata": saml_providers.METADATA_LENGTH,
    "sso_url": saml_providers.SSO_URL_LENGTH,
    "portal": team_access.SLUG_LENGTH,
    **learning_ranges.DECLARED,
    **review_world.DECLARED,
    **events_world.DECLARED,
    "confirm": erasure.CONFIRM_LENGTH,
    "source_cidrs": team_access.CIDRS,
    "source_cidrs[]": team_access.CIDR_LENGTH,
}
# Fields without a declared limit: ids of rows, and texts that another rule checks.
FREE = {
    "owner",
    "credential",
    *("question", "qualification_type", "object"),
    *(
        "account",
        "answer",
        "augmentation",
        "code",
        "contact_email",
        "dataset",
        "email",
        "folder",
        "images",
        "input_job",
        "job",
        "labels",
        "model",
        "task_type",
    ),
    *("model", "panel", "validation", "vendor", "workteam"),
    *learning_ranges.FREE,
}


def classes(base: type) -> Iterator[type]:
    """Every subclass of `base` in our own code, at any depth."""
    for found in base.__subclasses__():
        if found.__module__.startswith(OURS):
            yield found
        yield from classes(found)


def bounded() -> dict[str, tuple[str, Any]]:
    """Every field for a number or a free text: {"Class.field": (field name, field)}."""
    for module in pkgutil.walk_packages(frontend.__path__, OURS):
        if ".management" not in module.name and ".demo" not in module.name:
            importlib.import_module(module.name)
    found: dict[str, tuple[str, Any]] = {}
    for form in classes(forms.Form):
        for name, field in form.base_fields.items():
            if isinstance(field, forms.IntegerField | forms.FloatField | forms.CharField):
                found[f"{form.__name__}.{name}"] = (name, field)
    kinds = (serializers.IntegerField, serializers.FloatField, serializers.CharField, serializers.ListField)
    for shape in classes(serializers.Serializer):
        if shape.__name__.endswith("Input"):
            for name, field in shape._declared_fields.items():
                if isinstance(field, kinds):
                    found[f"{shape.__name__}.{name}"] = (name, field)
                if isinstance(field, serializers.ListField) and isinstance(field.child, kinds):
                    found[f"{shape.__name__}.{name}[]"] = (f"{name}[]", field.child)
    return found


FIELDS = bounded()


def test_forms_and_serializers_are_found():
    assert {"PeopleStep.price", "LabelingJobInput.labels[]", "DatasetForm.percent", "AutomatedInput.seed"} <= set(
        FIELDS
    )


@pytest.mark.parametrize("place", sorted(FIELDS))
def test_the_limit_of_each_field_is_the_declared_one(place):
    name, field = FIELDS[place]
    declared = None if place.startswith(("SignInForm.", "AddPasskeyForm.")) else DECLARED.get(place, DECLARED.get(name))
    if declared is None:
        assert name in FREE or place.startswith(("SignInForm.", "AddPasskeyForm.")), (
            f"{place}: declare its range in the service that checks it, and add it to this table"
        )
        return
    if isinstance(field, forms.CharField | serializers.CharField | serializers.ListField):
        assert field.max_length == declared.longest
        assert field.min_length in (None, declared.low)
    else:
        assert (field.min_value, field.max_value) == (declared.low, declared.high)


def test_the_wizard_offers_every_architecture():
    assert {key for key, _ in ARCHITECTURES} == set(contract.EVERY_ARCHITECTURE)


def test_pages_have_a_name_for_everything_that_the_services_offer():
    assert set(jobs.EXPORT_KINDS) == set(exports.EXTENSION)
    assert set(jobs.EXPORT_LABELS) == set(rows.WHICH)
    assert set(datasets.MADE_FROM) == set(sources.KINDS)
    # The export of iNaturalist has a page of its own, which asks for licences.
    assert {datasets.UPLOADS.get(kind, kind) for kind, _ in datasets.KINDS} == set(sources.KINDS) - {inaturalist.KIND}
    assert set(imports.PURPOSES) == set(import_limits.PURPOSES)
    assert set(imports.FORMATS) == set(import_limits.ASKED_FORMATS)
    assert {key for key, _ in imports.EMPTY} == set(import_limits.WITHOUT_BOXES)
    chosen = SelectionFields.base_fields["selection"]
    assert isinstance(chosen, forms.ChoiceField)
    assert {kind for kind, _ in chosen.choices} == set(selection.KINDS)


def test_a_range_describes_itself():
    share = Range(0.5, 2)
    assert 0.5 in share and 2 in share and 1.0 in share
    assert 0.49 not in share and 2.01 not in share
    assert float("nan") not in share and True not in share and "1" not in share and None not in share
    assert str(share) == "0.5 to 2" and str(Range(1)) == "at least 1" and str(Range(0, 20_000)) == "0 to 20,000"
    assert Range(30, 100).in_units(60) == Range(1, 1)
    assert (share.nearest(9), share.nearest(0), Range(1).nearest(7)) == (2, 0.5, 7)
    with pytest.raises(ValueError, match="no upper bound"):
        _ = Range(1).longest
