"""Sign-in by a company's SAML provider in a real browser, whose rules for cookies and forms across sites apply."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.urls import reverse
from playwright.sync_api import expect

from marketplace.models import Account, User
from marketplace.services import saml_providers
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS, check
from tests.browser.test_pages import walk
from tests.frontend import saml_provider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_admin_registers_a_provider_and_somebody_signs_in_by_it(
    visit: Visit, live_server: Any, account: Account, owner: User, settings: LazySettings, tmp_path: Path
) -> None:
    """The provider is on another site, so its form comes without our session."""
    team = builders.a_team(account=account, workers=0)
    with saml_provider.served() as idp:
        settings.FETCH_ALLOWED_HOSTS = frozenset({idp.url.removeprefix("http://")})
        saml_providers.create(
            account=account,
            workteam=team,
            name="Hives",
            domains=["hives.example"],
            slug="hives",
            approved=True,
            by="system",
            metadata=idp.metadata(),
        )
        page = visit(None, reverse("company-sign-in", args=["hives"]))
        page.context.add_cookies(
            [
                {"name": name, "value": f"ana{rest}", "url": idp.url}
                for name, rest in (("subject", ""), ("email", "@hives.example"))
            ]
        )
        page.get_by_role("button", name="Hives").click()
        page.get_by_role("button", name="Go on").click()
        page.goto(live_server.url + reverse("person:you"))
        expect(page.get_by_text("ana@hives.example").first).to_be_visible()

    paths = [reverse("requester:settings-sign-in")]
    for number, look in enumerate(LOOKS):
        admin = visit(owner, paths[0], **look)
        (tmp_path / str(number)).mkdir()
        walk(admin, live_server.url, paths, tmp_path / str(number))
        check(admin, [live_server.url + path for path in paths])
