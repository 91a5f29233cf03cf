"""The operator's pages, under /operator/."""

from django.urls import path

from frontend.operator import flags, money, pages, payouts, people, qualifications, vendors

app_name = "operator"
urlpatterns = [
    path("", pages.accounts_page, name="accounts"),
    path("deposit/", pages.deposit, name="deposit"),
    path("payouts/", payouts.page, name="payouts"),
    path("payouts/send/", payouts.send, name="payouts-send"),
    path("payouts/send-by-stripe/", payouts.send_by_stripe, name="payouts-send-by-stripe"),
    path("payouts/files/<str:name>/", payouts.file, name="payouts-file"),
    path("payouts/read/", payouts.read, name="payouts-read"),
    path("payouts/<int:payout_id>/paid/", payouts.paid, name="payouts-paid"),
    path("payouts/<int:payout_id>/failed/", payouts.failed, name="payouts-failed"),
    path("money/", money.page, name="money"),
    path("money/reverse/", money.reverse_deposit, name="deposit-reverse"),
    path("money/tax/", money.set_tax, name="tax"),
    path("money/refunds/<int:refund_id>/paid/", money.refund_paid, name="refund-paid"),
    path("money/refunds/<int:refund_id>/refused/", money.refund_refused, name="refund-refused"),
    path("people/", people.list_page, name="people"),
    path("people/new/", people.new, name="person-new"),
    path("people/<int:user_id>/", people.detail_page, name="person"),
    path("people/<int:user_id>/password-link/", people.password_link, name="person-password-link"),
    path("people/<int:user_id>/deactivate/", people.deactivate, name="person-deactivate"),
    path("people/<int:user_id>/reactivate/", people.reactivate, name="person-reactivate"),
    path("people/<int:user_id>/suspend/", people.suspend, name="person-suspend"),
    path("people/<int:user_id>/lift/", people.lift, name="person-lift"),
    path("people/<int:user_id>/account/", people.new_account, name="person-account"),
    path("qualifications/", qualifications.list_page, name="qualifications"),
    path("qualifications/new/", qualifications.new, name="qualification-new"),
    path("qualifications/<int:operator_type_id>/", qualifications.detail_page, name="qualification"),
    path("qualifications/<int:operator_type_id>/grant/", qualifications.grant, name="qualification-grant"),
    path("qualifications/<int:operator_type_id>/revoke/", qualifications.revoke, name="qualification-revoke"),
    path("qualifications/<int:operator_type_id>/switch/", qualifications.switch, name="qualification-switch"),
    path("flags/", flags.page, name="flags"),
    path("flags/rules/", flags.set_rule, name="flag-rule"),
    path("flags/<int:finding_id>/decide/", flags.decide, name="flag-decide"),
    path("vendors/", vendors.listings_page, name="vendors"),
    path("vendors/<int:vendor_id>/publish/", vendors.publish, name="vendor-publish"),
    path("vendors/<int:vendor_id>/refuse/", vendors.refuse, name="vendor-refuse"),
    path("invoices/", vendors.invoices_page, name="invoices"),
    path("invoices/<int:invoice_id>/paid/", vendors.invoice_paid, name="invoice-paid"),
    path("appeals/", pages.appeals_page, name="appeals"),
    path("appeals/<int:appeal_id>/answer/", pages.answer_appeal, name="appeal-answer"),
]
