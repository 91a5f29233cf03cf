"""The keys that a worker has chosen in the tools they work with."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest.fields import Body, ObjectField
from frontend.rest.scope import worker_of
from marketplace.services import chosen_keys


class ChosenKeysInput(Body):
    """The keys of one element, all of them."""

    keys = ObjectField(help_text='commands with their keys, such as {"next": "q"}; {} for the usual keys')


class ChosenKeys(serializers.Serializer):
    """The keys that a worker has chosen, by element and command."""

    keys = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))


class ElementKeys(serializers.Serializer):
    """The keys that a worker has chosen in one element."""

    element = serializers.CharField()
    keys = serializers.DictField(child=serializers.CharField())


class ChosenKeysView(APIView):
    """What the caller has chosen."""

    @extend_schema(responses={200: ChosenKeys}, operation_id="get_chosen_keys")
    def get(self, request: Request) -> Response:
        """The keys that the worker has chosen in place of the usual ones, by crowd element and command."""
        return Response({"keys": chosen_keys.of(worker_of(request))})


class ElementKeysView(APIView):
    """What the caller has chosen in one element."""

    @extend_schema(request=ChosenKeysInput, responses={200: ElementKeys}, operation_id="keep_chosen_keys")
    def put(self, request: Request, element: str) -> Response:
        """Keep the worker's keys for a crowd element, in place of those before."""
        worker = worker_of(request)
        data = ChosenKeysInput(data=request.data)
        data.is_valid(raise_exception=True)
        keys = chosen_keys.keep(worker=worker, element=element, keys=data.validated_data["keys"])
        return Response({"element": element, "keys": keys})
