"""Workers whom the account shows none of its work any more."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_people
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.services import exclusion
from marketplace.models import Block, Role, Worker
from marketplace.services import eligibility, scope


class BlockInput(Body):
    """A worker by public id, and why."""

    worker = serializers.CharField(max_length=Worker._meta.get_field("public_id").max_length)
    reason = serializers.CharField(max_length=eligibility.REASON_LENGTH.longest)


@listed(
    operation="list_blocks",
    page=schemas.page("Block", schemas_people.BlockedWorker),
    description="Workers who see none of the account's work, newest first.",
)
class BlocksView(ListView):
    """The account's blocks."""

    filters = {"worker": "worker__public_id"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Block]:
        """Of the account."""
        return scope.blocks(account_of(request))

    def row(self, found: Block) -> dict[str, Any]:
        """Who, why, since when and by whom."""
        return {
            "worker": found.worker.public_id,
            "reason": found.reason,
            "created_by": found.created_by,
            "created_at": found.created_at,
        }

    @extend_schema(request=BlockInput, responses={201: schemas_people.BlockMade}, operation_id="block_worker")
    @idempotent
    def post(self, request: Request) -> Response:
        """Show a worker none of the account's work any more; the tasks of yours that they hold go to others."""
        account = account_of(request, Role.ADMIN)
        data = BlockInput(data=request.data)
        data.is_valid(raise_exception=True)
        worker, reason = scope.worker_named(data.validated_data["worker"]), data.validated_data["reason"]
        returned = exclusion.block(account=account, worker=worker, reason=reason, by=actor(request))
        return Response({"worker": worker.public_id, "tasks_returned": returned}, status=status.HTTP_201_CREATED)


class BlockView(APIView):
    """One block."""

    @extend_schema(responses={204: None}, operation_id="unblock_worker")
    def delete(self, request: Request, worker_id: str) -> Response:
        """Show a worker the account's work again."""
        account = account_of(request, Role.ADMIN)
        eligibility.unblock(account=account, worker=scope.blocked_worker(account, worker_id), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
