"""Identity providers by which an account's people sign in, for its admins; their review, for operators."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.identity import assertions
from frontend.rest import schemas, schemas_people
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, require_operator
from marketplace.models import IdentityProtocol, IdentityProvider, Role
from marketplace.services import identity_providers, saml_providers, scope, team_access


class RegistrationInput(Body):
    """What providers of every protocol have."""

    name = serializers.CharField(max_length=identity_providers.NAME_LENGTH.longest)
    domains = serializers.ListField(
        child=serializers.RegexField(
            identity_providers.DOMAIN_PATTERN,
            min_length=int(identity_providers.DOMAIN_LENGTH.low),
            max_length=identity_providers.DOMAIN_LENGTH.longest,
        ),
        min_length=int(identity_providers.DOMAINS.low),
        max_length=identity_providers.DOMAINS.longest,
        help_text="of the e-mail addresses of new people",
    )
    workteam = serializers.IntegerField()
    slug = serializers.RegexField(
        team_access.SLUG_PATTERN,
        min_length=int(team_access.SLUG_LENGTH.low),
        max_length=team_access.SLUG_LENGTH.longest,
        required=False,
        help_text="the last part of its address; without it one that nobody guesses",
    )


class ProviderInput(RegistrationInput):
    """An OpenID Connect provider."""

    issuer = serializers.CharField(
        min_length=int(identity_providers.ISSUER_LENGTH.low), max_length=identity_providers.ISSUER_LENGTH.longest
    )
    client_id = serializers.CharField(max_length=identity_providers.CLIENT_ID_LENGTH.longest)
    client_secret = serializers.CharField(
        max_length=identity_providers.CLIENT_SECRET_LENGTH.longest, trim_whitespace=False
    )


class CertificatesInput(Body):
    """New certificates of a SAML provider: its metadata, or the certificates alone."""

    metadata = serializers.CharField(
        required=False, max_length=saml_providers.METADATA_LENGTH.longest, help_text="the provider's, as XML"
    )
    certificate = serializers.CharField(
        required=False,
        max_length=saml_providers.CERTIFICATE_LENGTH.longest,
        help_text="as PEM, or several below each other",
    )


class SamlProviderInput(RegistrationInput, CertificatesInput):
    """A SAML provider: its metadata, or entity_id, sso_url and certificate."""

    entity_id = serializers.CharField(required=False, max_length=saml_providers.ENTITY_ID_LENGTH.longest)
    sso_url = serializers.CharField(
        required=False,
        min_length=int(saml_providers.SSO_URL_LENGTH.low),
        max_length=saml_providers.SSO_URL_LENGTH.longest,
        help_text="its SingleSignOnService for the binding HTTP-Redirect",
    )


class ProviderSecretInput(Body):
    """A new client secret."""

    client_secret = serializers.CharField(
        max_length=identity_providers.CLIENT_SECRET_LENGTH.longest, trim_whitespace=False
    )


def provider_row(request: Request, found: IdentityProvider) -> dict[str, Any]:
    """A provider, never its secret."""
    entity_id, back = "", request.build_absolute_uri(reverse("openid_connect_callback", args=[found.slug]))
    if found.protocol == IdentityProtocol.SAML:
        entity_id, back = assertions.addresses(request, found)
    return {
        "id": found.pk,
        "account": found.account.number,
        "name": found.name,
        "protocol": found.protocol,
        "issuer": found.issuer,
        "client_id": found.client_id,
        "sso_url": found.sso_url,
        "fingerprints": saml_providers.fingerprints(found),
        "domains": found.domains,
        "workteam": found.workteam_id,
        "slug": found.slug,
        "sign_in_url": request.build_absolute_uri(reverse("company-sign-in", args=[found.slug])),
        "redirect_url": back,
        "entity_id": entity_id,
        "status": found.status,
        "created_at": found.created_at,
    }


@listed(
    operation="list_identity_providers",
    page=schemas.page("IdentityProvider", schemas_people.IdentityProvider),
    description="The account's identity providers; for admins.",
)
class ProvidersView(ListView):
    """The account's providers."""

    def rows(self, request: Request, **place: Any) -> QuerySet[IdentityProvider]:
        """Of the account."""
        return identity_providers.of_account(account_of(request, Role.ADMIN))

    def row(self, found: IdentityProvider) -> dict[str, Any]:
        """Never the secret."""
        return provider_row(self.request, found)

    @extend_schema(
        request=ProviderInput,
        responses={201: schemas_people.IdentityProvider},
        operation_id="create_identity_provider",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Register a provider. Nobody signs in by it before an operator has approved it."""
        return _registered(request, ProviderInput, identity_providers.create)


class SamlProvidersView(APIView):
    """Registering SAML providers."""

    @extend_schema(
        request=SamlProviderInput,
        responses={201: schemas_people.IdentityProvider},
        operation_id="create_saml_identity_provider",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Register a SAML provider. Nobody signs in by it before an operator has approved it."""
        return _registered(request, SamlProviderInput, saml_providers.create)


def _registered(request: Request, form: type[RegistrationInput], create: Callable[..., IdentityProvider]) -> Response:
    account = account_of(request, Role.ADMIN)
    data = form(data=request.data)
    data.is_valid(raise_exception=True)
    team = scope.own_team(account, data.validated_data.pop("workteam"))
    made = create(account=account, workteam=team, by=actor(request), **data.validated_data)
    return Response(provider_row(request, made), status=status.HTTP_201_CREATED)


class CertificatesView(APIView):
    """New certificates of a SAML provider."""

    @extend_schema(
        request=CertificatesInput,
        responses={200: schemas_people.IdentityProvider},
        operation_id="set_identity_provider_certificates",
    )
    def put(self, request: Request, saml_provider_id: int) -> Response:
        """Take other certificates. Nobody signs in by the provider until an operator has approved it again."""
        provider = identity_providers.one_of(
            identity_providers.of_account(account_of(request, Role.ADMIN)), saml_provider_id
        )
        data = CertificatesInput(data=request.data)
        data.is_valid(raise_exception=True)
        saml_providers.renew(provider=provider, by=actor(request), **data.validated_data)
        provider.refresh_from_db(fields=["status"])
        return Response(provider_row(request, provider))


class SecretView(APIView):
    """A new client secret of a provider."""

    @extend_schema(request=ProviderSecretInput, responses={204: None}, operation_id="set_identity_provider_secret")
    def put(self, request: Request, identity_provider_id: int) -> Response:
        """Take another client secret; it is never shown."""
        provider = identity_providers.one_of(
            identity_providers.of_account(account_of(request, Role.ADMIN)), identity_provider_id
        )
        data = ProviderSecretInput(data=request.data)
        data.is_valid(raise_exception=True)
        identity_providers.renew_secret(provider=provider, by=actor(request), **data.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class _Moved(APIView):
    """A change of a provider's status. Repeating it changes nothing."""

    def moved(self, request: Request, provider: IdentityProvider, move: Callable[..., None]) -> Response:
        """The provider afterwards."""
        move(provider=provider, by=actor(request))
        provider.refresh_from_db(fields=["status"])
        return Response(provider_row(request, provider))


class EnableView(_Moved):
    """Switching a provider on."""

    @extend_schema(
        request=None, responses={200: schemas_people.IdentityProvider}, operation_id="enable_identity_provider"
    )
    def post(self, request: Request, identity_provider_id: int) -> Response:
        """Let people sign in by it again. Refused while it is in review."""
        rows = identity_providers.of_account(account_of(request, Role.ADMIN))
        return self.moved(request, identity_providers.one_of(rows, identity_provider_id), identity_providers.enable)


class DisableView(_Moved):
    """Switching a provider off."""

    @extend_schema(
        request=None, responses={200: schemas_people.IdentityProvider}, operation_id="disable_identity_provider"
    )
    def post(self, request: Request, identity_provider_id: int) -> Response:
        """Let nobody sign in by it any more; the sessions of its people end."""
        rows = identity_providers.of_account(account_of(request, Role.ADMIN))
        return self.moved(request, identity_providers.one_of(rows, identity_provider_id), identity_providers.disable)


# --- for operators --------------------------------------------------------------------------------------------------


@listed(
    operation="list_all_identity_providers",
    page=schemas.page("AnyIdentityProvider", schemas_people.IdentityProvider),
    description="The identity providers of all accounts; for operators.",
)
class OperatorProvidersView(ListView):
    """Everybody's providers."""

    filters = {"status": "status"}

    def rows(self, request: Request, **place: Any) -> QuerySet[IdentityProvider]:
        """All of them, to operators."""
        require_operator(request)
        return identity_providers.everybodys()

    def row(self, found: IdentityProvider) -> dict[str, Any]:
        """Never the secret."""
        return provider_row(self.request, found)


class ApproveView(_Moved):
    """Approving a provider."""

    @extend_schema(
        request=None, responses={200: schemas_people.IdentityProvider}, operation_id="approve_identity_provider"
    )
    def post(self, request: Request, identity_provider_id: int) -> Response:
        """Let people sign in by it: the account speaks for its domains."""
        require_operator(request)
        provider = identity_providers.one_of(identity_providers.everybodys(), identity_provider_id)
        return self.moved(request, provider, identity_providers.approve)


class ReviewView(_Moved):
    """Taking an approval back."""

    @extend_schema(
        request=None, responses={200: schemas_people.IdentityProvider}, operation_id="review_identity_provider"
    )
    def post(self, request: Request, identity_provider_id: int) -> Response:
        """Let nobody sign in by it until it is approved again; the sessions of its people end."""
        require_operator(request)
        provider = identity_providers.one_of(identity_providers.everybodys(), identity_provider_id)
        return self.moved(request, provider, identity_providers.review_again)
