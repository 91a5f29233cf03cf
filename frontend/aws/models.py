"""botocore's own models of the services that the AWS wire answers for. Knows nothing of what is implemented."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

SERVICES = ("sagemaker", "sagemaker-a2i-runtime", "sagemaker-runtime", "logs", "sts", "iam")
"""The services, by botocore's names."""

QUERY = "query"
JSON = "json"
REST_JSON = "rest-json"
"""Their protocols."""

_PART = re.compile(r"\{(\w+)(\+?)\}")


@lru_cache
def service(name: str) -> ServiceModel:
    """The model of one of SERVICES; loaded when it is first asked for, which takes up to a quarter of a second."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), service_name=name)


def protocol(name: str) -> str:
    """The protocol of one of SERVICES: QUERY, JSON or REST_JSON."""
    return str(service(name).metadata["protocol"])


def operation(service_name: str, name: str) -> OperationModel | None:
    """The model of an operation, None for one that the service does not have."""
    model = service(service_name)
    return model.operation_model(name) if name in model.operation_names else None


@lru_cache
def by_target() -> Mapping[str, str]:
    """The prefix of X-Amz-Target -> the service, for those with the JSON protocol."""
    return {service(name).metadata["targetPrefix"]: name for name in SERVICES if protocol(name) == JSON}


class Route(NamedTuple):
    """An operation of a REST service: its method, the pattern of its path and its name."""

    method: str
    path: re.Pattern[str]
    operation: str


@lru_cache
def routes(service_name: str) -> tuple[Route, ...]:
    """The operations of a service with the REST_JSON protocol, those with a fixed path first."""
    return tuple(sorted(_routes(service_name), key=lambda route: route.path.groups))


def _routes(service_name: str) -> Iterator[Route]:
    model = service(service_name)
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = http["requestUri"].partition("?")[0]
        expression = ""
        end = 0
        for part in _PART.finditer(path):
            expression += re.escape(path[end : part.start()])
            expression += f"(?P<{part[1]}>{'.+' if part[2] else '[^/]+'})"
            end = part.end()
        yield Route(http["method"], re.compile(expression + re.escape(path[end:])), name)
