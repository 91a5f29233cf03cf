"""The root URL configuration: the frontend has all routes and the error pages."""

from django.urls import include, path

urlpatterns = [path("", include("frontend.urls"))]
handler400 = "frontend.handlers.bad_request"
handler404 = "frontend.handlers.page_not_found"
handler500 = "frontend.handlers.server_error"
