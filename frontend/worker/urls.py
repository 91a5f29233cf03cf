"""The worker's pages, under /work/."""

from django.urls import path

from frontend.worker import earnings, pages

app_name = "worker"
urlpatterns = [
    path("", pages.jobs, name="jobs"),
    path("history/", pages.history_page, name="history"),
    path("history/<int:assignment_id>/appeal/", pages.appeal, name="appeal"),
    path("earnings/", earnings.page, name="earnings"),
    path("earnings/statement/", earnings.statement, name="statement"),
    path("earnings/statement/file/", earnings.statement_file, name="statement-file"),
    path("earnings/details/", earnings.set_details, name="payout-details"),
    path("earnings/payouts/", earnings.request_payout, name="payout-request"),
    path("earnings/payouts/<int:payout_id>/cancel/", earnings.cancel_payout, name="payout-cancel"),
    path("<int:queue_id>/", pages.task, name="task"),
]
