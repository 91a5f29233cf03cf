"""Objects that a function of a labeling job has failed: sending them to it again."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.scope import account_of, actor
from labeling.services import scope
from labeling.services.functions import failures
from marketplace.models import Role


class SendAgainInput(Body):
    """Which objects."""

    objects = serializers.ListField(
        child=serializers.IntegerField(**failures.INDEX.bounds),
        min_length=int(failures.AT_ONCE.low),
        max_length=failures.AT_ONCE.longest,
        required=False,
        help_text="the indexes of some; without it all that can be sent, at most 1,000 of them",
    )


class SentAgain(serializers.Serializer):  # type: ignore[type-arg]
    """What became of it."""

    sent = serializers.IntegerField()
    left = serializers.IntegerField(help_text="objects that can be sent now and were not")


class SendAgainView(APIView):
    """Objects that a function has failed."""

    @extend_schema(request=SendAgainInput, responses={200: SentAgain}, operation_id="send_to_function_again")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Ask functions again about objects that failed by them, each five times at most. Nobody is paid twice."""
        job = scope.job(account_of(request, Role.MEMBER), job_id)
        data = SendAgainInput(data=request.data)
        data.is_valid(raise_exception=True)
        done = failures.send_again(job=job, indexes=data.validated_data.get("objects"), by=actor(request))
        return Response(done._asdict())
