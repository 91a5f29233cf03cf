"""The pages of everybody: one's own invitations, memberships and password; links from letters."""

from django.urls import path

from frontend.person import erasing, joining, notices, pages, passwords, signing_up, webhooks

app_name = "person"
urlpatterns = [
    path("you/", pages.you, name="you"),
    path("you/invitations/<int:invitation_id>/accept/", pages.accept, name="accept"),
    path("you/invitations/<int:invitation_id>/decline/", pages.decline, name="decline"),
    path("you/accounts/<int:account_id>/leave/", pages.leave_account, name="leave-account"),
    path("you/teams/<int:team_id>/leave/", pages.leave_team, name="leave-team"),
    path("you/notices/", notices.page, name="notices"),
    path("you/notices/read/", notices.read, name="notices-read"),
    path("you/notices/settings/", notices.settings_page, name="notice-settings"),
    path("you/notices/<int:notice_id>/open/", notices.open_notice, name="notice-open"),
    path("you/webhooks/", webhooks.page, name="webhooks"),
    path("you/webhooks/<int:endpoint_id>/", webhooks.detail_page, name="webhook"),
    path("you/webhooks/<int:endpoint_id>/act/", webhooks.act, name="webhook-act"),
    path(
        "you/webhooks/<int:endpoint_id>/deliveries/<int:message_id>/redeliver/",
        webhooks.redeliver,
        name="webhook-redeliver",
    ),
    path("you/erase/", erasing.page, name="erase"),
    path("you/password/", passwords.ChangeView.as_view(), name="password-change"),
    path("password/forgotten/", passwords.ForgottenView.as_view(), name="password-forgotten"),
    path("password/forgotten/sent/", passwords.SentView.as_view(), name="password-sent"),
    path("password/reset/<str:uidb64>/<str:token>/", passwords.ResetView.as_view(), name="password-reset"),
    path("you/profile/", signing_up.set_profile, name="profile"),
    path("you/public-pool/", signing_up.join_pool, name="join-pool"),
    path("sign-up/", signing_up.begin, name="sign-up"),
    path("sign-up/sent/", signing_up.sent, name="sign-up-sent"),
    path("sign-up/finish/<str:sign_up>/", signing_up.finish, name="sign-up-finish"),
    path("join/<str:secret>/", joining.page, name="join"),
]
