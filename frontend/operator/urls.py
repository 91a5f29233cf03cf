"""The operator's pages, under /operator/."""

from django.urls import path

from frontend.operator import pages, payouts, people

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
    path("people/", people.list_page, name="people"),
    path("people/new/", people.new, name="person-new"),
    path("people/<int:user_id>/", people.detail_page, name="person"),
    path("people/<int:user_id>/password-link/", people.password_link, name="person-password-link"),
    path("people/<int:user_id>/deactivate/", people.deactivate, name="person-deactivate"),
    path("people/<int:user_id>/reactivate/", people.reactivate, name="person-reactivate"),
    path("people/<int:user_id>/second-factors-off/", people.second_factors_off, name="second-factors-off"),
    path("people/<int:user_id>/suspend/", people.suspend, name="person-suspend"),
    path("people/<int:user_id>/lift/", people.lift, name="person-lift"),
    path("people/<int:user_id>/account/", people.new_account, name="person-account"),
    path("appeals/", pages.appeals_page, name="appeals"),
    path("appeals/<int:appeal_id>/answer/", pages.answer_appeal, name="appeal-answer"),
]
