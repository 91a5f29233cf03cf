"""The operator's pages, under /operator/."""

from django.urls import path

from frontend.operator import pages, people

app_name = "operator"
urlpatterns = [
    path("", pages.accounts_page, name="accounts"),
    path("deposit/", pages.deposit, name="deposit"),
    path("people/", people.list_page, name="people"),
    path("people/new/", people.new, name="person-new"),
    path("people/<int:user_id>/", people.detail_page, name="person"),
    path("people/<int:user_id>/password-link/", people.password_link, name="person-password-link"),
    path("people/<int:user_id>/deactivate/", people.deactivate, name="person-deactivate"),
    path("people/<int:user_id>/reactivate/", people.reactivate, name="person-reactivate"),
    path("people/<int:user_id>/suspend/", people.suspend, name="person-suspend"),
    path("people/<int:user_id>/lift/", people.lift, name="person-lift"),
    path("people/<int:user_id>/account/", people.new_account, name="person-account"),
]
