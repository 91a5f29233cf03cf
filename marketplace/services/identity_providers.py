"""Sign-in by an account's own identity provider: providers, and who may come in by one.

Knows nothing of the protocol. Somebody is known by (provider, subject) and never by their address: what a provider says
of an address counts for new people only, and only in domains that an operator has found to be the account's. Otherwise
one account could make itself people of another one.
"""

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from marketplace import sealing
from marketplace.errors import Forbidden, Invalid, LimitExceeded, NameTaken, NotFound, WrongState
from marketplace.models import (
    Account,
    IdentityProtocol,
    IdentityProvider,
    IdentityProviderStatus,
    Membership,
    User,
    Workteam,
    WorkteamMember,
)
from marketplace.models.identity import new_slug
from marketplace.ranges import Range
from marketplace.services import accounts, audit, eligibility, people, workteams
from marketplace.services.team_access import SLUG_LENGTH, SLUG_PATTERN, SLUG_RULE
from marketplace.transitions import IDENTITY_PROVIDER

NAME_LENGTH = Range(1, 40)
"""Characters of what a provider is called on its button."""

ISSUER_LENGTH = Range(9, 300)
"""Characters of the issuer's address."""

CLIENT_ID_LENGTH = Range(1, 190)
"""Characters of a client id."""

CLIENT_SECRET_LENGTH = Range(1, 500)
"""Characters of a client secret."""

DOMAINS = Range(1, 20)
"""How many domains of addresses a provider may have."""

DOMAIN_LENGTH = Range(3, 190)
"""Characters of one domain."""

DOMAINS_LENGTH = Range(1, DOMAINS.longest * (DOMAIN_LENGTH.longest + 2))
"""Characters of a list of domains that is typed as one text."""

SUBJECT_LENGTH = Range(1, 191)
"""Characters of a subject, as allauth stores it."""

PER_ACCOUNT = 10
"""Providers that an account may have."""

DOMAIN_PATTERN = r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$"
"""A domain as a regular expression that the OpenAPI document understands too."""

_DOMAIN, _SLUG = re.compile(DOMAIN_PATTERN), re.compile(SLUG_PATTERN)


def create(
    *,
    account: Account,
    workteam: Workteam,
    name: str,
    issuer: str,
    client_id: str,
    client_secret: str,
    domains: Sequence[str],
    slug: str = "",
    approved: bool = False,
    by: str,
) -> IdentityProvider:
    """Register an OpenID Connect provider, whose new people join `workteam`; "" makes a slug that nobody guesses.

    Nobody signs in by it before an operator has approved it; `approved` says that an operator is asking. Raises Invalid
    naming the field, NameTaken for a slug that is taken, LimitExceeded above PER_ACCOUNT.
    """
    _check(issuer, client_id, client_secret)
    return register(
        account=account,
        workteam=workteam,
        name=name,
        domains=domains,
        slug=slug,
        approved=approved,
        by=by,
        issuer=issuer.rstrip("/"),
        client_id=client_id,
        client_secret=sealing.seal(client_secret),
    )


def register(
    *,
    account: Account,
    workteam: Workteam,
    name: str,
    domains: Sequence[str],
    slug: str,
    approved: bool,
    by: str,
    issuer: str,
    **of_protocol: object,
) -> IdentityProvider:
    """Keep a provider whose members of its own protocol are checked already; raises as `create` does."""
    wanted = slug.strip().lower() or new_slug()
    check_lengths(("name", name, NAME_LENGTH))
    if len(wanted) not in SLUG_LENGTH or not _SLUG.fullmatch(wanted):
        raise Invalid(f"{slug!r} found, {SLUG_RULE} expected", field="slug")
    with transaction.atomic():
        # Requests of one account wait for each other, so that together they keep the limit.
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        if of_account(account).count() >= PER_ACCOUNT:
            raise LimitExceeded(f"at most {PER_ACCOUNT} identity providers are kept")
        provider = _insert(
            account=account,
            workteam=workteam,
            slug=wanted,
            name=name.strip(),
            domains=_checked_domains(domains),
            issuer=issuer,
            **of_protocol,
        )
        audit.record(provider, by=by, because=f"made: {issuer}", to_status=provider.status)
        if approved:
            approve(provider=provider, by=by)
    return provider


def _insert(**given: object) -> IdentityProvider:
    try:
        with transaction.atomic():
            return IdentityProvider.objects.create(**given)
    except IntegrityError:
        raise NameTaken(f"another provider has the address {given['slug']!r}", field="slug") from None


def check_lengths(*given: tuple[str, str, Range]) -> None:
    """Raises Invalid naming the first field whose stripped text has a length that is not allowed."""
    for field, text, allowed in given:
        if len(text.strip()) not in allowed:
            raise Invalid(f"{len(text)} characters found, {allowed} expected", field=field)


def _check(issuer: str, client_id: str, client_secret: str) -> None:
    """Raises Invalid naming the field."""
    check_lengths(
        ("issuer", issuer, ISSUER_LENGTH),
        ("client_id", client_id, CLIENT_ID_LENGTH),
        ("client_secret", client_secret, CLIENT_SECRET_LENGTH),
    )
    if check_address(issuer, field="issuer").query:
        raise Invalid(f"{issuer!r} found, an address without a query expected", field="issuer")


def check_address(address: str, *, field: str) -> SplitResult:
    """The parts of an address of a provider. Raises Invalid unless it is https, or http to a host that is allowed."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid(f"{address!r} is not a URL: {error}", field=field) from None
    plain = f"{host}:{port or 80}" in settings.FETCH_ALLOWED_HOSTS
    if not host or parts.fragment or parts.scheme != "https" and not (parts.scheme == "http" and plain):
        raise Invalid(f"{address!r} found, https://host/... expected", field=field)
    return parts


def _checked_domains(domains: Sequence[str]) -> list[str]:
    if len(domains) not in DOMAINS:
        raise Invalid(f"{len(domains)} domains found, {DOMAINS} expected", field="domains")
    read = [text.strip().lower() for text in domains]
    wrong = [text for text in read if not _DOMAIN.fullmatch(text) or len(text) not in DOMAIN_LENGTH]
    if wrong:
        raise Invalid(f"no domains such as example.org: {', '.join(map(repr, wrong))}", field="domains")
    return list(dict.fromkeys(read))


def renew_secret(*, provider: IdentityProvider, client_secret: str, by: str) -> None:
    """Take another client secret. Raises Invalid for one of a wrong length, WrongState for a SAML provider."""
    if provider.protocol != IdentityProtocol.OPENID:
        raise WrongState("a SAML provider has certificates and no client secret")
    if len(client_secret.strip()) not in CLIENT_SECRET_LENGTH:
        raise Invalid(f"{len(client_secret)} characters found, {CLIENT_SECRET_LENGTH} expected", field="client_secret")
    with transaction.atomic():
        provider.client_secret = sealing.seal(client_secret)
        provider.save(update_fields=["client_secret"])
        audit.record(provider, by=by, because="client secret changed")


def approve(*, provider: IdentityProvider, by: str) -> None:
    """People sign in by the provider from now on: its domains are the account's. For operators. Safe to repeat."""
    with transaction.atomic():
        IDENTITY_PROVIDER.advance(provider, IdentityProviderStatus.ACTIVE, by=by, because="approved")


def review_again(*, provider: IdentityProvider, by: str, because: str = "approval taken back") -> None:
    """Nobody signs in by the provider until it is approved again, and its people's sessions end."""
    with transaction.atomic():
        if IDENTITY_PROVIDER.advance(provider, IdentityProviderStatus.IN_REVIEW, by=by, because=because):
            _end_sessions(provider)


def disable(*, provider: IdentityProvider, by: str) -> None:
    """Nobody signs in by the provider any more, and the sessions of its people end. Safe to repeat.

    Raises WrongState while it is in review.
    """
    with transaction.atomic():
        if IDENTITY_PROVIDER.advance(provider, IdentityProviderStatus.DISABLED, by=by):
            _end_sessions(provider)


def enable(*, provider: IdentityProvider, by: str) -> None:
    """People sign in by the provider again. Raises WrongState while it is in review."""
    with transaction.atomic():
        if IdentityProvider.objects.filter(pk=provider.pk, status=IdentityProviderStatus.IN_REVIEW).exists():
            raise WrongState("an operator has to approve the identity provider first")
        IDENTITY_PROVIDER.advance(provider, IdentityProviderStatus.ACTIVE, by=by)


def _end_sessions(provider: IdentityProvider) -> None:
    theirs = SocialAccount.objects.filter(provider=provider.slug).values("user")
    User.objects.filter(pk__in=theirs).update(sign_outs=F("sign_outs") + 1)


def of_account(account: Account) -> QuerySet[IdentityProvider]:
    """The account's providers with their teams, newest first."""
    return IdentityProvider.objects.filter(account=account).select_related("workteam", "account").order_by("-pk")


def everybodys() -> QuerySet[IdentityProvider]:
    """The providers of all accounts, those in review first."""
    rows = IdentityProvider.objects.select_related("workteam", "account")
    return rows.annotate(later=~Q(status=IdentityProviderStatus.IN_REVIEW)).order_by("later", "-pk")


def one_of(rows: QuerySet[IdentityProvider], provider_id: int) -> IdentityProvider:
    """One of these by its key. Raises NotFound."""
    found = rows.filter(pk=provider_id).first()
    if found is None:
        raise NotFound(f"there is no identity provider {provider_id}")
    return found


def active(account: Account) -> list[IdentityProvider]:
    """The account's providers by which people sign in now, by name."""
    return list(of_account(account).filter(status=IdentityProviderStatus.ACTIVE).order_by("name", "pk"))


def of_slug(slug: str, *, saml: bool | None = None) -> IdentityProvider:
    """The provider with this address, by which people sign in now. `saml`: whether it has to speak SAML, None for any.

    Raises NotFound.
    """
    rows = IdentityProvider.objects.filter(slug=slug, status=IdentityProviderStatus.ACTIVE)
    found = rows.select_related("account", "workteam").first()
    if found is None or saml not in (None, found.protocol == IdentityProtocol.SAML):
        raise NotFound("there is no sign-in at this address")
    return found


def secret_of(provider: IdentityProvider) -> str:
    """The client secret. Raises WrongState when it was stored under another WAGGLE_SECRET_KEY."""
    return sealing.unseal(provider.client_secret)


def check_admitted(*, provider: IdentityProvider, user: User) -> None:
    """Raises Forbidden for somebody who may not come in by the provider, or not any more.

    An operator is never let in by one: whoever runs the provider could act as the operator. Nor is somebody who has
    nothing to do with the account, or whom it has suspended.
    """
    if user.is_operator:
        raise Forbidden("operators of this installation sign in with their password")
    on_team = WorkteamMember.objects.filter(worker__user=user, workteam__account=provider.account_id).exists()
    if not on_team and not Membership.objects.filter(user=user, account=provider.account_id).exists():
        raise Forbidden(f"you do not belong to {provider.account.organization_name} here; ask it for an invitation")
    if eligibility.blocks(provider.account).filter(worker__user=user).exists():
        raise Forbidden(f"{provider.account.organization_name} has shut you out")


def admit_new(
    *, provider: IdentityProvider, subject: str, email: str, verified: bool, display_name: str
) -> SocialAccount:
    """Make the sign-in of somebody whom nobody knows yet, without a password; they join the provider's team.

    Raises Forbidden for an address that is missing, unverified or outside of the provider's domains, NameTaken for one
    that has a sign-in already: it is theirs who hold it, whatever the provider says.
    """
    address = accounts.checked_address(email) if email.strip() else ""
    if not address or not verified:
        raise Forbidden(f"{provider.name} has not confirmed an e-mail address of yours")
    if address.rpartition("@")[2] not in provider.domains:
        raise Forbidden(f"{address} is in none of the domains from which {provider.name} lets people in")
    by = actor(provider)
    with transaction.atomic():
        # Of two first sign-ins of one person the second waits here, and finds the address taken.
        IdentityProvider.objects.select_for_update(no_key=True).get(pk=provider.pk)
        of_slug(provider.slug)
        user = people.create(email=address, display_name=_shortened(display_name), password=None, by=by)
        worker = workteams.register_worker(user)
        workteams.add_worker(team=provider.workteam, worker=worker, by=by)
        return SocialAccount.objects.create(provider=provider.slug, uid=subject, user=user)


def _shortened(display_name: str) -> str:
    return display_name.strip()[: accounts.DISPLAY_NAME_LENGTH.longest].strip()


def actor(provider: IdentityProvider) -> str:
    """How the audit trail names a provider."""
    return f"identity-provider:{provider.pk}"


def record_connection(*, user: User, slug: str, by: str, connected: bool) -> None:
    """Write down that somebody can sign in by a provider from now on, or cannot any more."""
    provider = IdentityProvider.objects.select_related("account").filter(slug=slug).first()
    what = "connected with" if connected else "disconnected from"
    audit.record(
        user,
        by=by or (actor(provider) if provider is not None else "system"),
        because=f"{what} the identity provider {slug}",
        account=provider.account if provider is not None else None,
    )


def connected(user: User) -> list[IdentityProvider]:
    """The providers by which the user can sign in, whatever their status, by name."""
    slugs = SocialAccount.objects.filter(user=user).values("provider")
    return list(IdentityProvider.objects.filter(slug__in=slugs).select_related("account").order_by("name", "pk"))


def connectable(user: User) -> list[IdentityProvider]:
    """The providers of accounts that the user belongs to, with which they are not connected, by name."""
    own = Membership.objects.filter(user=user, account=OuterRef("account"))
    on_team = WorkteamMember.objects.filter(worker__user=user, workteam__account=OuterRef("account"))
    have = SocialAccount.objects.filter(user=user, provider=OuterRef("slug"))
    rows = IdentityProvider.objects.filter(
        Exists(own) | Exists(on_team), ~Exists(have), status=IdentityProviderStatus.ACTIVE
    )
    return [] if user.is_operator else list(rows.select_related("account").order_by("name", "pk"))


def disconnect(*, user: User, slug: str) -> None:
    """End the user's sign-in by the provider. Raises NotFound, WrongState for somebody without a password."""
    found = SocialAccount.objects.filter(user=user, provider=slug)
    if not found.exists():
        raise NotFound("you do not sign in by this provider")
    if not user.has_usable_password():
        raise WrongState("you have no password; without this provider you could not sign in")
    found.delete()
