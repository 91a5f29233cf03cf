"""The root of all routes; the routes themselves are the frontend's, and so are the answers to what has none."""

from django.urls import include, path

urlpatterns = [path("", include("frontend.urls"))]
handler400 = "frontend.rest.errors.bad_request"
handler404 = "frontend.rest.errors.page_not_found"
handler500 = "frontend.rest.errors.server_error"
