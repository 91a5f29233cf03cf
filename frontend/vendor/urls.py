"""A vendor's pages, under /vendor/."""

from django.urls import path

from frontend.vendor import contracts, invoices, listing

app_name = "vendor"
urlpatterns = [
    path("", listing.page, name="listing"),
    path("save/", listing.save, name="listing-save"),
    path("submit/", listing.submit, name="listing-submit"),
    path("withdraw/", listing.withdraw, name="listing-withdraw"),
    path("payment/", listing.payment, name="listing-payment"),
    path("contracts/", contracts.list_page, name="contracts"),
    path("contracts/<int:contract_id>/", contracts.detail_page, name="contract"),
    path("contracts/<int:contract_id>/answer/", contracts.answer, name="contract-answer"),
    path("contracts/<int:contract_id>/assign/", contracts.assign, name="contract-assign"),
    path("contracts/<int:contract_id>/unassign/", contracts.unassign, name="contract-unassign"),
    path("contracts/<int:contract_id>/queue/", contracts.queue_page, name="contract-queue"),
    path("staff/", contracts.staff_page, name="staff"),
    path("invoices/", invoices.list_page, name="invoices"),
    path("invoices/<int:invoice_id>/", invoices.detail_page, name="invoice"),
    path("invoices/<int:invoice_id>/file/", invoices.file, name="invoice-file"),
]
