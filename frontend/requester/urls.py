"""The requester's pages."""

from django.urls import path

from frontend.requester import datasets, models, settings, teams, wallet

app_name = "requester"
urlpatterns = [
    path("datasets/", datasets.list_page, name="datasets"),
    path("datasets/new/", datasets.new_page, name="dataset-new"),
    path("datasets/<int:dataset_id>/", datasets.detail_page, name="dataset"),
    path("datasets/<int:dataset_id>/progress/", datasets.progress_part, name="dataset-progress"),
    path("datasets/<int:dataset_id>/stop/", datasets.stop, name="dataset-stop"),
    path("models/", models.list_page, name="models"),
    path("models/<int:model_id>/", models.detail_page, name="model"),
    path("wallet/", wallet.page, name="wallet"),
    path("teams/", teams.page, name="teams"),
    path("teams/new/", teams.new, name="team-new"),
    path("teams/<int:team_id>/", teams.detail_page, name="team"),
    path("teams/<int:team_id>/add/", teams.add, name="team-add"),
    path("teams/<int:team_id>/remove/", teams.remove, name="team-remove"),
    path("settings/", settings.page, name="settings"),
    path("settings/members/", settings.add_member, name="settings-add-member"),
    path("settings/tokens/", settings.create_token, name="settings-create-token"),
    path("settings/tokens/<int:token_id>/revoke/", settings.revoke_token, name="settings-revoke-token"),
]
