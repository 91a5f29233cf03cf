"""The pages of a panel's participants, under /study/."""

from django.urls import path

from frontend.worker import study

app_name = "study"
urlpatterns = [
    path("", study.mine, name="mine"),
    path("<int:session_id>/", study.session_page, name="session"),
    path("<int:session_id>/task/", study.task, name="task"),
    path("<int:session_id>/finish/", study.finish, name="finish"),
    path("<int:session_id>/return/", study.give_up, name="return"),
    path("join/<str:link>/<int:work_id>/", study.join, name="join"),
]
