"""Every route of the system."""

from allauth.account.views import reauthenticate
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from frontend import automation, health, languages, metrics_page, session, streams, stripe_events
from frontend.aws.views import wire
from frontend.identity import saml_views
from frontend.identity import views as companies_pages
from frontend.worker import portal

urlpatterns: list[URLPattern | URLResolver] = [
    # First, because Django tries route after route, and these are asked for most.
    path("api/v1/", include("frontend.rest.urls")),
    path("work/", include("frontend.worker.urls")),
    path("aws", wire, name="aws"),
    path("aws/<path:path>", wire, name="aws-path"),
    path("aws/", wire, name="aws-root"),
    path("", session.home, name="home"),
    path("sign-in/", session.SignInView.as_view(), name="sign-in"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="sign-out"),
    # The names under which django-allauth looks for the sign-in and the sign-out.
    path("sign-in/", session.SignInView.as_view(), name="account_login"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="account_logout"),
    path("you/confirm/", reauthenticate, name="account_reauthenticate"),
    path("you/second-factor/", include("allauth.mfa.urls")),
    # The name under which allauth looks for the way back from an account's identity provider.
    path("sign-in/with/<str:provider_id>/back/", companies_pages.back, name="openid_connect_callback"),
    path("sign-in/with/<str:saml_id>/saml/", saml_views.metadata, name="saml-metadata"),
    path("sign-in/with/<str:saml_id>/saml/answer/", saml_views.answer, name="saml-answer"),
    path("sign-in/with/<str:saml_id>/saml/finish/", saml_views.finish, name="saml-finish"),
    path("sign-in/with/<str:provider_id>/", companies_pages.start, name="company-sign-in"),
    path("you/connections/<str:provider_id>/connect/", companies_pages.connect, name="company-connect"),
    path("you/connections/<str:provider_id>/disconnect/", companies_pages.disconnect, name="company-disconnect"),
    path("account/", session.choose_account, name="choose-account"),
    path("language/", languages.choose, name="language"),
    path("health/", health.health, name="health"),
    path("health/live/", health.live, name="health-live"),
    path("metrics", metrics_page.page, name="metrics"),
    path("stripe/events/", stripe_events.receive, name="stripe-events"),
    path("streams/<str:token>/", streams.receive, name="streams"),
    path("", include("frontend.requester.urls")),
    path("", include("frontend.person.urls")),
    path("vendor/", include("frontend.vendor.urls")),
    path("portal/<str:slug>/", portal.page, name="portal"),
    path("study/", include("frontend.worker.study_urls")),
    path("operator/", include("frontend.operator.urls")),
    path("api/docs/", login_required(SpectacularSwaggerSplitView.as_view(url_name="rest:openapi")), name="api-docs"),
]

if automation.installed():
    # Imported here because the models that it shows cannot be loaded where the app is not installed.
    from frontend import improvement_events

    urlpatterns.append(path("improvement-events/<str:token>/", improvement_events.receive, name="improvement-events"))
