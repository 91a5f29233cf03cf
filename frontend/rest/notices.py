"""What the caller was told, and by which channels they want to be told."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend import notice_links
from frontend.rest import schemas, schemas_told
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import FLAG, ListView, listed
from frontend.rest.scope import require_personal
from marketplace.models import EmailPace, Notice, NoticeKind, User
from marketplace.services import notifications
from marketplace.strict import KEYS


class NoticesReadInput(Body):
    """Which notices were read; without a list, all of them."""

    ids = serializers.ListField(
        child=serializers.IntegerField(**KEYS.bounds), required=False, max_length=notifications.READ_AT_ONCE.longest
    )


class NoticePreferenceInput(Body):
    """By which channels a kind of notice is wanted."""

    kind = serializers.ChoiceField(choices=NoticeKind.choices)
    in_app = serializers.BooleanField()
    email = serializers.ChoiceField(choices=EmailPace.choices)


def notice_row(found: Notice) -> dict[str, Any]:
    """A notice as its reader sees it."""
    return {
        "id": found.pk,
        "kind": found.kind,
        "text": found.text,
        "link": notice_links.page_of(found) or None,
        "account": {"number": found.account.number, "name": found.account.name} if found.account else None,
        "subject": {"type": found.subject_type, "id": found.subject_id} if found.subject_type else None,
        "created_at": found.created_at,
        "read_at": found.read_at,
    }


@listed(
    operation="list_notices",
    page=schemas.page("Notice", schemas_told.Notice),
    description="What the caller was told, newest first.",
)
class NoticesView(ListView):
    """The caller's notices."""

    filters = {"kind": "kind", "unread": "read_at__isnull"}
    shapes = {"unread": FLAG}

    def rows(self, request: Request, **place: Any) -> QuerySet[Notice]:
        """The caller's own."""
        require_personal(request)
        return notifications.of(request.user)

    def row(self, found: Notice) -> dict[str, Any]:
        """One notice."""
        return notice_row(found)


class NoticesReadView(APIView):
    """Marking notices as read."""

    @extend_schema(
        request=NoticesReadInput, responses={200: schemas_told.NoticesRead}, operation_id="mark_notices_read"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Mark some notices, or all of them, as read. Repeating it changes nothing."""
        require_personal(request)
        data = NoticesReadInput(data=request.data)
        data.is_valid(raise_exception=True)
        return Response({"read": notifications.mark_read(user=request.user, notice_ids=data.validated_data.get("ids"))})


def _preferences(user: User) -> Response:
    rows = notifications.preferences(user).items()
    return Response(
        {"preferences": [{"kind": kind, "in_app": channels.in_app, "email": channels.email} for kind, channels in rows]}
    )


class NoticePreferencesView(APIView):
    """By which channels the caller wants each kind of notice."""

    @extend_schema(responses={200: schemas_told.NoticePreferences}, operation_id="get_notice_preferences")
    def get(self, request: Request) -> Response:
        """Every kind, as the caller wants it or as the default is."""
        require_personal(request)
        return _preferences(request.user)

    @extend_schema(
        request=NoticePreferenceInput,
        responses={200: schemas_told.NoticePreferences},
        operation_id="set_notice_preference",
    )
    def put(self, request: Request) -> Response:
        """Say how one kind is wanted; the answer has all of them."""
        require_personal(request)
        data = NoticePreferenceInput(data=request.data)
        data.is_valid(raise_exception=True)
        notifications.prefer(user=request.user, **data.validated_data)
        return _preferences(request.user)
