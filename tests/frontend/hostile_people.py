"""Right requests about people, sign-ups and invitations, for hostile.py: each field is replaced by a hostile value."""

import json
from collections.abc import Iterator
from typing import Any

from tests import builders
from tests.frontend import saml_provider
from tests.frontend.world import World

A_CERTIFICATE = saml_provider.Provider().certificate


def people_forms(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """The forms of one's own page, of the operator's pages of people, and of links."""
    ids, new = world.ids, builders.PASSWORD + "-new"
    person = f"/operator/people/{world.stranger.pk}/"
    yield from second_factor_forms(world)
    yield from company_forms(world)
    yield "/settings/access-keys/new/", {"name": "notebook"}
    yield f"/settings/access-keys/{ids['access_key_id']}/revoke/", {}
    yield from [
        (f"/you/invitations/{ids['invitation_id']}/accept/", {}),
        (f"/you/accounts/{ids['account_id']}/leave/", {}),
        (f"/you/teams/{ids['team_id']}/leave/", {}),
        ("/you/password/", {"old_password": builders.PASSWORD, "new_password1": new, "new_password2": new}),
        ("/password/forgotten/", {"email": world.owner.email}),
        (f"/password/reset/{ids['uidb64']}/set-password/", {"new_password1": new, "new_password2": new}),
        ("/you/profile/", {"country": "DE", "languages": "en", "adult": "on"}),
        ("/you/public-pool/", {}),
        ("/language/", {"language": "de", "next": "/you/"}),
        ("/sign-up/", {"email": "new@example.org", "purpose": "Worker"}),
        (
            f"/sign-up/finish/{ids['sign_up']}/",
            {
                "display_name": "N",
                "password": new,
                "password_again": new,
                "account_name": "N",
                "country": "DE",
                "languages": "en",
                "adult": "on",
            },
        ),
        (f"/join/{ids['secret']}/", {"display_name": "S", "password": new, "password_again": new}),
        ("/operator/people/new/", {"email": "n@example.org", "display_name": "N", "account": "N", "is_operator": "on"}),
        (f"{person}password-link/", {}),
        (f"{person}deactivate/", {"reason": "left"}),
        (f"{person}reactivate/", {}),
        (f"{person}erase/", {"confirm": world.stranger.email}),
        ("/you/erase/", {"confirm": world.owner.email}),
        (f"/operator/people/{world.owner.pk}/second-factors-off/", {"reason": "phone lost"}),
        (f"/operator/people/{world.worker_user.pk}/suspend/", {"reason": "spam"}),
        (f"/operator/people/{world.worker_user.pk}/lift/", {}),
        (f"{person}account/", {"account": "N"}),
    ]


def company_forms(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """The forms of sign-in by a company's identity provider."""
    key, slug = world.ids["identity_provider_id"], world.ids["provider_id"]
    yield from [
        (f"/sign-in/with/{slug}/", {"next": "/you/"}),
        (f"/you/connections/{slug}/connect/", {}),
        (f"/you/connections/{slug}/disconnect/", {}),
        ("/settings/sign-in/", {**_a_company(world), "domains": "example.org"}),
        (f"/settings/sign-in/{key}/act/", {"act": "secret", "client_secret": "newer"}),
        (f"/sign-in/with/{world.ids['saml_id']}/saml/answer/", {"SAMLResponse": "YQ=="}),
        ("/settings/sign-in/saml/", {**_a_saml_company(world), "domains": "example.org"}),
        (
            f"/settings/sign-in/{world.ids['saml_provider_id']}/act/",
            {"act": "certificates", "metadata": "", "certificate": A_CERTIFICATE},
        ),
        (f"/operator/identity-providers/{key}/approve/", {}),
        (f"/operator/identity-providers/{key}/review/", {}),
    ]


def _a_company(world: World) -> dict[str, Any]:
    return {
        "name": "Hives",
        "issuer": "https://login.example.org",
        "client_id": "waggle",
        "client_secret": "a secret",
        "workteam": world.ids["team_id"],
        "slug": "hives",
    }


def _a_saml_company(world: World) -> dict[str, Any]:
    return {
        "name": "Hives",
        "entity_id": "urn:hives",
        "sso_url": "https://login.example.org",
        "certificate": A_CERTIFICATE,
        "workteam": world.ids["team_id"],
        "slug": "saml-hives",
    }


def second_factor_forms(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """The forms of second factors, after the password was asked for again; passkeys answer with JSON."""
    base, key = "/you/second-factor/", world.ids["pk"]
    credential = json.dumps({"id": "a", "rawId": "a", "type": "public-key", "response": {}})
    yield from [
        ("/you/confirm/", {"password": builders.PASSWORD, "next": "/you/"}),
        (f"{base}authenticate/", {"code": "000000"}),
        (f"{base}reauthenticate/", {"code": "000000", "next": "/you/"}),
        (f"{base}totp/activate/", {"code": "000000"}),
        (f"{base}totp/deactivate/", {}),
        (f"{base}recovery-codes/generate/", {}),
        (f"{base}webauthn/login/", {"credential": credential}),
        (f"{base}webauthn/reauthenticate/", {"credential": credential, "next": "/you/"}),
        (f"{base}webauthn/add/", {"name": "laptop", "credential": credential, "passwordless": "on"}),
        (f"{base}webauthn/keys/{key}/edit/", {"name": "laptop", "next": "/you/"}),
        (f"{base}webauthn/keys/{key}/remove/", {"next": "/you/"}),
    ]


def people_bodies(world: World) -> dict[str, dict[str, Any]]:
    """A JSON body for each operation about people, teams' access, organizations and sign-ups."""
    return {
        "create_access_key": {"name": "notebook"},
        "create_identity_provider": {**_a_company(world), "domains": ["example.org"]},
        "set_identity_provider_secret": {"client_secret": "newer"},
        "create_saml_identity_provider": {**_a_saml_company(world), "domains": ["example.org"]},
        "set_identity_provider_certificates": {"certificate": A_CERTIFICATE},
        "create_user": {"email": "n@example.org", "display_name": "N", "account": "N"},
        "deactivate_user": {"reason": "left"},
        "erase_user": {"confirm": "n@example.org"},
        "erase_personal_data": {"confirm": "n@example.org"},
        "suspend_worker": {"reason": "spam"},
        "create_workteam_invitations": {"emails": ["a@example.org"], "skip_bad": True},
        "set_workteam_access": {"portal": "hives", "source_cidrs": ["127.0.0.0/8"]},
        "set_organization": {"organization": "Hives", "contact_email": "hives@example.org"},
        "request_sign_up": {"email": "new@example.org", "purpose": "Worker"},
        "finish_sign_up": {
            "secret": world.ids["sign_up"],
            "password": "clover-and-9-bees",
            "display_name": "N",
            "country": "DE",
            "languages": ["en"],
            "adult": True,
            "account": "N",
        },
        "set_profile": {"country": "DE", "languages": ["en"], "adult": True},
    }
