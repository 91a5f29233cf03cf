"""The worker's pages, under /work/."""

from django.urls import path

from frontend.worker import conduct, earnings, pages, qualifications, reviews, template_frames

app_name = "worker"
urlpatterns = [
    path("", pages.jobs, name="jobs"),
    path("history/", pages.history_page, name="history"),
    path("history/<int:assignment_id>/appeal/", pages.appeal, name="appeal"),
    path("reviews/", reviews.list_page, name="reviews"),
    path("reviews/<int:reviewed_id>/", reviews.answers_page, name="review"),
    path("reviews/<int:reviewed_id>/decide/", reviews.decide_some, name="review-decide-some"),
    path("reviews/<int:reviewed_id>/sample/", reviews.sample, name="review-sample"),
    path("reviews/<int:reviewed_id>/<int:answer_id>/decide/", reviews.decide, name="review-decide"),
    path("closed/", qualifications.closed_page, name="closed"),
    path("qualifications/", qualifications.list_page, name="qualifications"),
    path("qualifications/<int:type_id>/", qualifications.detail_page, name="qualification"),
    path("qualifications/<int:type_id>/ask/", qualifications.ask, name="qualification-ask"),
    path("qualifications/<int:type_id>/start/", qualifications.start, name="qualification-start"),
    path("tests/<int:attempt_id>/", qualifications.test_page, name="test"),
    path("tests/<int:attempt_id>/<int:question_id>/answer/", qualifications.answer, name="test-answer"),
    path("history/<int:assignment_id>/gold/", pages.gold, name="gold"),
    path("conduct/", conduct.page, name="conduct"),
    path("conduct/<int:finding_id>/appeal/", conduct.appeal, name="conduct-appeal"),
    path("conduct/<int:finding_id>/instructions-read/", conduct.instructions_read, name="conduct-read"),
    path("earnings/", earnings.page, name="earnings"),
    path("earnings/statement/", earnings.statement, name="statement"),
    path("earnings/statement/file/", earnings.statement_file, name="statement-file"),
    path("earnings/details/", earnings.set_details, name="payout-details"),
    path("earnings/stripe/", earnings.connect, name="stripe-connect"),
    path("earnings/payouts/", earnings.request_payout, name="payout-request"),
    path("earnings/payouts/<int:payout_id>/cancel/", earnings.cancel_payout, name="payout-cancel"),
    path("template/<str:frame>/", template_frames.page, name="template"),
    path("template-file/<str:file>/", template_frames.file, name="template-file"),
    path("<int:queue_id>/", pages.task, name="task"),
]
