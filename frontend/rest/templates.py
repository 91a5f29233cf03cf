"""Worker templates: what in one will not work here, before a job uses it."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest.fields import Body, ObjectField
from frontend.rest.scope import account_of
from labeling.formats.template_check import ERROR, WARNING
from labeling.services.jobs import limits, template_previews


class TemplateCheckInput(Body):
    """A worker template with a sample of its data."""

    template = serializers.CharField(max_length=limits.TEMPLATE_LENGTH.longest, trim_whitespace=False, allow_blank=True)
    input = ObjectField(
        required=False,
        help_text="a sample of task.input, or a line of a manifest, which may have `labels`; without it fewer mistakes "
        "are found",
    )
    script_hosts = serializers.ListField(
        child=serializers.CharField(max_length=limits.SCRIPT_HOST_LENGTH.longest),
        required=False,
        max_length=limits.SCRIPT_HOSTS.longest,
        help_text="hosts that scripts and styles may come from",
    )


class TemplateFinding(serializers.Serializer):
    """One thing that will not work, or may surprise."""

    level = serializers.ChoiceField(choices=[ERROR, WARNING])
    code = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    message = serializers.CharField()


class TemplateCheck(serializers.Serializer):
    """`works` is true when there is no error."""

    works = serializers.BooleanField()
    findings = TemplateFinding(many=True)


class TemplateCheckView(APIView):
    """What in a worker template will not work."""

    @extend_schema(request=TemplateCheckInput, responses={200: TemplateCheck}, operation_id="check_template")
    def post(self, request: Request) -> Response:
        """Everything in a template that will not work here, with lines and reasons; nothing is stored."""
        account = account_of(request)
        data = TemplateCheckInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        report = template_previews.check(
            account=account,
            content=given["template"],
            sample=given.get("input"),
            script_hosts=given.get("script_hosts", ()),
        )
        return Response({"works": report.works, "findings": report.rows()})
