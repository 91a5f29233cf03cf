"""The requester's pages."""

from django.urls import path

from frontend import automation
from frontend.requester import (
    blocks,
    datasets,
    imports,
    job_forecast,
    job_new,
    job_preview,
    jobs,
    members,
    objects,
    overview,
    reviews,
    settings,
    team_access,
    teams,
    wallet,
)

app_name = "requester"
urlpatterns = [
    path("overview/", overview.page, name="overview"),
    path("jobs/", jobs.list_page, name="jobs"),
    path("jobs/new/", job_new.step_page, name="job-new"),
    path("jobs/new/estimate/", job_new.estimate_part, name="job-estimate"),
    path("jobs/new/forecast/", job_forecast.forecast_part, name="job-forecast"),
    path("jobs/new/review/", job_new.review_page, name="job-review"),
    path("jobs/new/launch/", job_new.launch, name="job-launch"),
    path("jobs/new/preview/", job_preview.of_draft, name="job-new-preview"),
    path("jobs/new/examples/<str:kind>/<int:number>/", job_preview.example_image, name="job-new-example"),
    path("jobs/new/<str:step>/", job_new.step_page, name="job-new-step"),
    path("jobs/<int:job_id>/", jobs.detail_page, name="job"),
    path("jobs/<int:job_id>/progress/", jobs.progress_part, name="job-progress"),
    path("jobs/<int:job_id>/continue/", jobs.carry_on, name="job-continue"),
    path("jobs/<int:job_id>/stop/", jobs.stop, name="job-stop"),
    path("jobs/<int:job_id>/preview/", job_preview.of_job, name="job-preview"),
    path("jobs/<int:job_id>/people/", jobs.people_page, name="job-people"),
    path("jobs/<int:job_id>/labels/", objects.gallery_page, name="job-gallery"),
    path("jobs/<int:job_id>/labels/<int:object_id>/", objects.object_page, name="object"),
    path("jobs/<int:job_id>/labels/<int:object_id>/adjudicate/", objects.adjudicate, name="object-adjudicate"),
    path("jobs/<int:job_id>/answers/", reviews.answers_page, name="job-answers"),
    path("jobs/<int:job_id>/answers/decide/", reviews.decide_some, name="job-answers-decide"),
    path("jobs/<int:job_id>/answers/sample/", reviews.sample, name="job-answers-sample"),
    path("jobs/<int:job_id>/answers/<int:review_id>/decide/", reviews.decide, name="job-answer-decide"),
    path("jobs/<int:job_id>/downloads/", jobs.downloads_page, name="job-downloads"),
    path("jobs/<int:job_id>/exports/", jobs.export, name="job-export"),
    path("exports/<int:export_id>/stop/", jobs.stop_export, name="export-stop"),
    path("datasets/", datasets.list_page, name="datasets"),
    path("datasets/new/", datasets.new_page, name="dataset-new"),
    path("datasets/<int:dataset_id>/", datasets.detail_page, name="dataset"),
    path("datasets/<int:dataset_id>/progress/", datasets.progress_part, name="dataset-progress"),
    path("datasets/<int:dataset_id>/stop/", datasets.stop, name="dataset-stop"),
    path("datasets/<int:dataset_id>/sample/<int:number>/", job_preview.sample_image, name="dataset-sample"),
    path("imports/", imports.list_page, name="dataset-imports"),
    path("imports/new/", imports.new_page, name="dataset-import-new"),
    path("imports/<int:import_id>/", imports.detail_page, name="dataset-import"),
    path("imports/<int:import_id>/progress/", imports.progress_part, name="dataset-import-progress"),
    path("imports/<int:import_id>/stop/", imports.stop, name="dataset-import-stop"),
    path("appeals/", reviews.appeals_page, name="appeals"),
    path("appeals/<int:appeal_id>/answer/", reviews.answer_appeal, name="appeal-answer"),
    path("wallet/", wallet.page, name="wallet"),
    path("teams/", teams.page, name="teams"),
    path("teams/new/", teams.new, name="team-new"),
    path("teams/<int:team_id>/", teams.detail_page, name="team"),
    path("teams/<int:team_id>/invite/", teams.invite, name="team-invite"),
    path("teams/<int:team_id>/remove/", teams.remove, name="team-remove"),
    path("teams/<int:team_id>/portal/", team_access.set_portal, name="team-portal"),
    path("teams/<int:team_id>/networks/", team_access.set_networks, name="team-networks"),
    path("teams/suspended/", blocks.page, name="team-suspended"),
    path("teams/suspended/new/", blocks.suspend, name="team-suspend"),
    path("teams/suspended/<str:worker_id>/lift/", blocks.lift, name="team-lift"),
    path("settings/", settings.page, name="settings"),
    path("settings/organization/", members.set_organization, name="settings-organization"),
    path("settings/invitations/", members.invite, name="settings-invite"),
    path("settings/invitations/<int:invitation_id>/withdraw/", members.withdraw, name="settings-withdraw"),
    path("settings/members/<int:user_id>/role/", members.change_role, name="settings-change-role"),
    path("settings/members/<int:user_id>/remove/", members.remove, name="settings-remove-member"),
    path("settings/tokens/", settings.create_token, name="settings-create-token"),
    path("settings/tokens/<int:token_id>/revoke/", settings.revoke_token, name="settings-revoke-token"),
]

if automation.installed():
    # Imported here because the models that it shows cannot be loaded where the app is not installed.
    from frontend.requester import models

    urlpatterns += [
        path("jobs/<int:job_id>/loop/", jobs.loop_page, name="job-loop"),
        path("models/", models.list_page, name="models"),
        path("models/<int:model_id>/", models.detail_page, name="model"),
    ]
