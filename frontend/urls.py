"""Every route of the system."""

from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from frontend import health, session, stripe_events
from frontend.worker import portal

urlpatterns: list[URLPattern | URLResolver] = [
    path("", session.home, name="home"),
    path("sign-in/", session.SignInView.as_view(), name="sign-in"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="sign-out"),
    path("account/", session.choose_account, name="choose-account"),
    path("health/", health.health, name="health"),
    path("stripe/events/", stripe_events.receive, name="stripe-events"),
    path("", include("frontend.requester.urls")),
    path("", include("frontend.person.urls")),
    path("vendor/", include("frontend.vendor.urls")),
    path("portal/<str:slug>/", portal.page, name="portal"),
    path("work/", include("frontend.worker.urls")),
    path("study/", include("frontend.worker.study_urls")),
    path("operator/", include("frontend.operator.urls")),
    path("api/v1/", include("frontend.rest.urls")),
    path("api/docs/", login_required(SpectacularSwaggerSplitView.as_view(url_name="rest:openapi")), name="api-docs"),
]
