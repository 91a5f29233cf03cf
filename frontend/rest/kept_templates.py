"""Worker templates that an account keeps, and their versions."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas
from frontend.rest.fields import Body, ObjectField
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import FLAG, ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.models import TemplateVersion, WorkerTemplate
from labeling.services.jobs import kept_templates, limits
from marketplace import names
from marketplace.models import Role


class TemplateVersionInput(Body):
    """What a version of a worker template holds."""

    template = serializers.CharField(max_length=limits.TEMPLATE_LENGTH.longest, trim_whitespace=False)
    script_hosts = serializers.ListField(
        child=serializers.CharField(max_length=limits.SCRIPT_HOST_LENGTH.longest),
        required=False,
        default=list,
        max_length=limits.SCRIPT_HOSTS.longest,
        help_text="hosts that scripts and styles may come from",
    )
    input = ObjectField(
        required=False, help_text="a sample to try it on: task.input, or a line of a manifest, which may have `labels`"
    )

    def draft(self) -> kept_templates.Draft:
        """The version to keep."""
        given = self.validated_data
        sample = kept_templates.sample_text(given.get("input"))
        return kept_templates.Draft(text=given["template"], script_hosts=given["script_hosts"], sample=sample)


class WorkerTemplateInput(TemplateVersionInput):
    """A new worker template."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)


class WorkerTemplateRow(serializers.Serializer):
    """A worker template in a list."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    version = serializers.IntegerField(help_text="the newest one")
    created_at = serializers.DateTimeField(help_text="when that was kept")
    archived = serializers.BooleanField(help_text="no new job is made with it, and it gets no new version")


class VersionRow(serializers.Serializer):
    """A version in a list."""

    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class WorkerTemplateVersion(WorkerTemplateRow):
    """One version of a worker template."""

    template = serializers.CharField()
    script_hosts = serializers.ListField(child=serializers.CharField())
    input = serializers.JSONField(allow_null=True)


class DeletedTemplate(serializers.Serializer):
    """What became of a worker template that was to be deleted."""

    deleted = serializers.BooleanField()
    archived = serializers.BooleanField()
    used_by = serializers.ListField(child=serializers.CharField(), help_text="jobs that are not over")


def version_row(found: TemplateVersion) -> dict[str, Any]:
    """A version as the API shows it alone."""
    return {
        "id": found.template_id,
        "name": found.template.name,
        "version": found.number,
        "created_at": found.created_at,
        "archived": found.template.archived_at is not None,
        "template": found.text,
        "script_hosts": found.script_hosts,
        "input": kept_templates.read_sample(found.sample),
    }


@listed(
    operation="list_worker_templates",
    page=schemas.page("WorkerTemplate", WorkerTemplateRow),
    description="Worker templates that the account keeps, newest first.",
)
class WorkerTemplatesView(ListView):
    """The account's worker templates."""

    filters = {"name": "name", "name_contains": "name__icontains", "archived": "archived"}
    shapes = {"archived": FLAG}

    def rows(self, request: Request, **place: Any) -> QuerySet[WorkerTemplate]:
        """Of the account; those in the archive only where they are asked for."""
        rows = kept_templates.templates_of(account_of(request))
        return rows if "archived" in request.query_params else rows.filter(archived=False)

    def row(self, found: Any) -> dict[str, Any]:
        """Without its text."""
        return {
            "id": found.pk,
            "name": found.name,
            "version": found.newest,
            "created_at": found.kept_at,
            "archived": found.archived,
        }

    @extend_schema(
        request=WorkerTemplateInput, responses={201: WorkerTemplateVersion}, operation_id="create_worker_template"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Keep a template under a new name; one that does not work yet may be kept, too."""
        account = account_of(request, Role.MEMBER)
        data = WorkerTemplateInput(data=request.data)
        data.is_valid(raise_exception=True)
        name = data.validated_data["name"]
        made = kept_templates.create(account=account, name=name, draft=data.draft(), by=actor(request))
        return Response(version_row(made), status=status.HTTP_201_CREATED)


class WorkerTemplateView(APIView):
    """One worker template."""

    @extend_schema(responses={200: WorkerTemplateVersion}, operation_id="get_worker_template")
    def get(self, request: Request, template_id: int) -> Response:
        """The newest version of a worker template."""
        return Response(version_row(kept_templates.version(account_of(request), template_id)))

    @extend_schema(responses={200: DeletedTemplate}, operation_id="delete_worker_template")
    def delete(self, request: Request, template_id: int) -> Response:
        """Delete a worker template with its versions; while jobs that are not over use it, it is archived instead."""
        template = kept_templates.template(account_of(request, Role.MEMBER), template_id)
        jobs = kept_templates.delete(template=template, by=actor(request))
        return Response({"deleted": not jobs, "archived": bool(jobs), "used_by": jobs})


class WorkerTemplateRestoreView(APIView):
    """A worker template in the archive."""

    @extend_schema(request=None, responses={200: WorkerTemplateVersion}, operation_id="restore_worker_template")
    @idempotent
    def post(self, request: Request, template_id: int) -> Response:
        """Take a worker template out of the archive. Repeating it changes nothing."""
        account = account_of(request, Role.MEMBER)
        kept_templates.restore(template=kept_templates.template(account, template_id), by=actor(request))
        return Response(version_row(kept_templates.version(account, template_id)))


@listed(
    operation="list_worker_template_versions",
    page=schemas.page("WorkerTemplateVersionRow", VersionRow),
    description="The versions of a worker template, newest first.",
)
class WorkerTemplateVersionsView(ListView):
    """The versions of a worker template."""

    def rows(self, request: Request, **place: Any) -> QuerySet[TemplateVersion]:
        """Of the template that the address names."""
        template = kept_templates.template(account_of(request), place["template_id"])
        return TemplateVersion.objects.filter(template=template).defer("text", "sample")

    def row(self, found: TemplateVersion) -> dict[str, Any]:
        """Its number, and when it was kept."""
        return {"version": found.number, "created_at": found.created_at}

    @extend_schema(
        request=TemplateVersionInput,
        responses={201: WorkerTemplateVersion},
        operation_id="create_worker_template_version",
    )
    @idempotent
    def post(self, request: Request, template_id: int) -> Response:
        """Keep a new version, unless it equals the newest, which is then the answer."""
        account = account_of(request, Role.MEMBER)
        template = kept_templates.template(account, template_id)
        data = TemplateVersionInput(data=request.data)
        data.is_valid(raise_exception=True)
        made = kept_templates.add_version(template=template, draft=data.draft(), by=actor(request))
        return Response(version_row(kept_templates.version(account, template.pk, made.number)), status=201)


class WorkerTemplateVersionView(APIView):
    """One version of a worker template."""

    @extend_schema(responses={200: WorkerTemplateVersion}, operation_id="get_worker_template_version")
    def get(self, request: Request, template_id: int, version_number: int) -> Response:
        """One version, with its text."""
        return Response(version_row(kept_templates.version(account_of(request), template_id, version_number)))
