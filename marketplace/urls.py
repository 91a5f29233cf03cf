"""The root of all routes; the routes themselves are the frontend's."""

from django.urls import include, path

urlpatterns = [path("", include("frontend.urls"))]
