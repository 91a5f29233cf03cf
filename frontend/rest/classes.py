"""The classes of a labeling job after labels exist: their names so far, renaming one, merging it into another."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.scope import account_of, actor
from labeling.models import ClassChange, ClassChangeKind, LabelingJob
from labeling.services import scope
from labeling.services.jobs import classes, limits
from marketplace.models import Role

SHOWN = 100
"""The newest changes that are shown."""

LONGEST = limits.LABEL_LENGTH.longest


class RenameInput(Body):
    """A class of the job and its new name."""

    label = serializers.CharField(max_length=LONGEST, trim_whitespace=False)
    name = serializers.CharField(max_length=LONGEST, help_text="one that no other class of the job has or had")


class MergeInput(Body):
    """A class of the job, and the one that it becomes a part of."""

    label = serializers.CharField(max_length=LONGEST, trim_whitespace=False)
    into = serializers.CharField(max_length=LONGEST, trim_whitespace=False)


class ClassShape(serializers.Serializer):  # type: ignore[type-arg]
    """A class of a job."""

    index = serializers.IntegerField()
    label = serializers.CharField()
    earlier = serializers.ListField(child=serializers.CharField(), help_text="the names it had")


class ClassChangeShape(serializers.Serializer):  # type: ignore[type-arg]
    """One class that was renamed or merged."""

    kind = serializers.ChoiceField(choices=ClassChangeKind.values)
    old_name = serializers.CharField()
    new_name = serializers.CharField()
    labels = serializers.IntegerField(help_text="how many labels named the class")
    settled = serializers.BooleanField(help_text="whether skills, scores and output have followed")
    changed_by = serializers.CharField()
    changed_at = serializers.DateTimeField()


class JobClasses(serializers.Serializer):  # type: ignore[type-arg]
    """The classes of a job in the order of the class index, and what was changed, newest first."""

    classes = ClassShape(many=True)
    refusal = serializers.CharField(allow_null=True, help_text="why they cannot be changed; null when they can")
    changes = ClassChangeShape(many=True)


def change_row(change: ClassChange) -> dict[str, Any]:
    """A change as the API shows it."""
    return {name: getattr(change, name) for name in ClassChangeShape().fields}


def classes_row(job: LabelingJob) -> dict[str, Any]:
    """The classes of a job as the API shows them."""
    return {
        "classes": classes.of(job),
        "refusal": classes.refusal(job) or None,
        "changes": [change_row(one) for one in classes.history(job)[:SHOWN]],
    }


class JobClassesView(APIView):
    """The classes of a job."""

    @extend_schema(responses={200: JobClasses}, operation_id="get_job_classes")
    def get(self, request: Request, job_id: int) -> Response:
        """The classes, the names they had, and what was renamed and merged."""
        return Response(classes_row(scope.job(account_of(request), job_id)))


class RenameClassView(APIView):
    """Another name for a class."""

    @extend_schema(request=RenameInput, responses={200: JobClasses}, operation_id="rename_job_class")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Rename a class wherever it stands: labels, golds, skills, reputation, and output from now on."""
        job = scope.job(account_of(request, Role.MEMBER), job_id)
        data = RenameInput(data=request.data)
        data.is_valid(raise_exception=True)
        classes.rename(job=job, by=actor(request), **data.validated_data)
        return Response(classes_row(job))


class MergeClassView(APIView):
    """Two classes that become one."""

    @extend_schema(request=MergeInput, responses={200: JobClasses}, operation_id="merge_job_class")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Make a class a part of another one, for good; labels are made anew of the answers."""
        job = scope.job(account_of(request, Role.MEMBER), job_id)
        data = MergeInput(data=request.data)
        data.is_valid(raise_exception=True)
        classes.merge(job=job, by=actor(request), **data.validated_data)
        return Response(classes_row(job))
