"""The operator's pages, under /operator/."""

from django.urls import path

from frontend.operator import pages, payouts

app_name = "operator"
urlpatterns = [
    path("", pages.accounts_page, name="accounts"),
    path("deposit/", pages.deposit, name="deposit"),
    path("payouts/", payouts.page, name="payouts"),
    path("payouts/send/", payouts.send, name="payouts-send"),
    path("payouts/files/<str:name>/", payouts.file, name="payouts-file"),
    path("payouts/read/", payouts.read, name="payouts-read"),
    path("payouts/<int:payout_id>/paid/", payouts.paid, name="payouts-paid"),
    path("payouts/<int:payout_id>/failed/", payouts.failed, name="payouts-failed"),
]
