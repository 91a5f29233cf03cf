"""Every REST route, under /api/v1/."""

from django.urls import path

from frontend import automation
from frontend.rest import (
    accounts,
    datasets,
    earnings,
    exports,
    forecasts,
    jobs,
    objects,
    openapi,
    wallet,
    work,
    workteams,
)

app_name = "rest"
urlpatterns = [
    path("openapi.json", openapi.OpenApiView.as_view(), name="openapi"),
    path("me", accounts.MeView.as_view()),
    path("tokens", accounts.TokensView.as_view()),
    path("tokens/<int:token_id>", accounts.TokenView.as_view()),
    path("members", accounts.MembersView.as_view()),
    path("members/<int:user_id>", accounts.MemberView.as_view()),
    path("wallet", wallet.WalletView.as_view()),
    path("wallet/statement", wallet.StatementView.as_view()),
    path("deposits", wallet.DepositsView.as_view()),
    path("workteams", workteams.WorkteamsView.as_view()),
    path("workteams/<int:team_id>/members", workteams.TeamMembersView.as_view()),
    path("workteams/<int:team_id>/members/<str:worker_id>", workteams.TeamMemberView.as_view()),
    path("uploads", datasets.UploadsView.as_view()),
    path("datasets", datasets.DatasetsView.as_view()),
    path("datasets/<int:dataset_id>", datasets.DatasetView.as_view()),
    path("datasets/<int:dataset_id>/stop", datasets.DatasetStopView.as_view()),
    path("datasets/<int:dataset_id>/bad-lines", datasets.DatasetBadLinesView.as_view()),
    path("labeling-jobs", jobs.JobsView.as_view()),
    path("labeling-jobs/estimate", jobs.EstimateView.as_view()),
    path("labeling-jobs/forecast", forecasts.ForecastView.as_view()),
    path("labeling-jobs/<int:job_id>", jobs.JobView.as_view()),
    path("labeling-jobs/<int:job_id>/stop", jobs.JobStopView.as_view()),
    path("labeling-jobs/<int:job_id>/bad-lines", jobs.JobBadLinesView.as_view()),
    path("labeling-jobs/<int:job_id>/preview", objects.PreviewView.as_view()),
    path("labeling-jobs/<int:job_id>/objects", objects.ObjectsView.as_view()),
    path("labeling-jobs/<int:job_id>/objects/<int:object_id>", objects.ObjectView.as_view()),
    path("labeling-jobs/<int:job_id>/objects/<int:object_id>/adjudicate", objects.AdjudicationView.as_view()),
    path("labeling-jobs/<int:job_id>/exports", exports.JobExportsView.as_view()),
    path("labeling-jobs/<int:job_id>/claim", work.JobClaimView.as_view()),
    path("work-queues/<int:queue_id>/claim", work.ClaimView.as_view()),
    path("work-queues/<int:queue_id>/examples/<str:kind>/<int:number>", objects.ExampleView.as_view()),
    path("exports/<int:export_id>", exports.ExportView.as_view()),
    path("exports/<int:export_id>/stop", exports.ExportStopView.as_view()),
    path("exports/<int:export_id>/download", exports.ExportDownloadView.as_view()),
    path("images/<str:token>", objects.ImageView.as_view()),
    path("worker", workteams.RegisterWorkerView.as_view()),
    path("worker/public-pool", workteams.PublicPoolView.as_view()),
    path("work", earnings.WorkView.as_view()),
    path("earnings", earnings.EarningsView.as_view()),
    path("assignments", work.AssignmentsView.as_view()),
    path("assignments/<int:assignment_id>", work.HeartbeatView.as_view()),
    path("assignments/<int:assignment_id>/submit", work.SubmitView.as_view()),
    path("assignments/<int:assignment_id>/return", work.ReturnView.as_view()),
    path("assignments/<int:assignment_id>/decline", work.DeclineView.as_view()),
]

if automation.installed():
    # Imported here because the models that it shows cannot be loaded where the app is not installed.
    from frontend.rest import models

    urlpatterns += [
        path("labeling-jobs/<int:job_id>/loop", models.LoopView.as_view()),
        path("models", models.ModelsView.as_view()),
        path("models/<int:model_id>", models.ModelView.as_view()),
        path("models/<int:model_id>/artifact", models.ModelArtifactView.as_view()),
        path("models/<int:model_id>/parts/<str:part>", models.ModelPartView.as_view()),
        path("training-jobs", models.TrainingJobsView.as_view()),
        path("training-jobs/<int:training_id>", models.TrainingJobView.as_view()),
        path("training-jobs/<int:training_id>/stop", models.TrainingJobStopView.as_view()),
    ]
