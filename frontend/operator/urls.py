"""The operator's pages, under /operator/."""

from django.urls import path

from frontend.operator import pages

app_name = "operator"
urlpatterns = [
    path("", pages.accounts_page, name="accounts"),
    path("deposit/", pages.deposit, name="deposit"),
    path("appeals/", pages.appeals_page, name="appeals"),
    path("appeals/<int:appeal_id>/answer/", pages.answer_appeal, name="appeal-answer"),
]
