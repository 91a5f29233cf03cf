"""The worker's pages, under /work/."""

from django.urls import path

from frontend.worker import pages

app_name = "worker"
urlpatterns = [
    path("", pages.jobs, name="jobs"),
    path("history/", pages.history_page, name="history"),
    path("history/<int:assignment_id>/appeal/", pages.appeal, name="appeal"),
    path("earnings/", pages.earnings_page, name="earnings"),
    path("<int:queue_id>/", pages.task, name="task"),
]
