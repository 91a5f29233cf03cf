"""Everybody who may call a route, and right requests for every route: what the table of permissions is filled with."""

import copy
import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpResponse
from django.test import Client

from frontend.rest import openapi
from labeling.models import LabelingJob, WorkQueue
from learning.models import LearningLoop
from marketplace.models import Role
from marketplace.services import accounts
from tests import builders
from tests.frontend import hostile
from tests.frontend.test_permissions import address, signed_in, views
from tests.frontend.world import World
from tests.labeling import stories

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ROLES = (
    "nobody",
    "other",
    "viewer",
    "member",
    "admin",
    "owner",
    "operator",
    "holder",
    "colleague",
    "outsider",
    "vendor",
    "vendor-viewer",
    "rival",
    "employee",
)
"""The columns of the table: not signed in, owner of another account, the account's members by role, an operator without
an account, the worker who holds the task, another worker of the team, and a worker of no team; owner and viewer of the
vendor that has a contract with the account, the owner of another vendor, and a worker of the first one."""


class Everybody:
    """A client for each role, and the requests that they send."""

    def __init__(self, world: World):
        self.world = world
        hostile.everybody(world)
        self._complete()
        world.owner.is_operator = False
        world.owner.save()
        world.owner.worker.delete()
        users: dict[str, Any] = {
            "other": world.stranger,
            "owner": world.owner,
            "operator": builders.an_operator(),
            "holder": world.worker_user,
            "colleague": world.other_worker_user,
            "outsider": world.outsider_user,
            "vendor": world.vendors.owner,
            "vendor-viewer": world.vendors.viewer,
            "rival": world.vendors.rival,
            "employee": world.vendors.employee,
        }
        for role in (Role.VIEWER, Role.MEMBER, Role.ADMIN):
            users[role.lower()] = stories.a_crowd(1)[0].user
            users[role.lower()].worker.delete()
            accounts.add_member(account=world.account, user=users[role.lower()], role=role)
        self.clients = {role: signed_in(users[role]) if role in users else Client() for role in ROLES}
        self.cookies = {role: copy.deepcopy(client.cookies) for role, client in self.clients.items()}
        self.bodies = self._bodies()
        self.forms = dict(hostile.forms(world))

    def _complete(self) -> None:
        """What the world lacks: an example picture and a learning loop, so that every address leads somewhere."""
        job = LabelingJob.objects.get(pk=self.world.ids["job_id"])
        (uri,) = builders.tiny_images(1, account=self.world.account)
        WorkQueue.objects.filter(pk=job.queue_id).update(
            instructions={"short": "x", "full": "", "good_examples": [{"uri": uri, "caption": ""}], "bad_examples": []}
        )
        LabelingJob.objects.filter(pk=job.pk).update(automated_labeling={"enabled": True})
        LearningLoop.objects.create(job=job)

    def _bodies(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The JSON body of each operation by its address and method."""
        known = hostile.bodies(self.world)
        found = {}
        for path, operations in openapi.document()["paths"].items():
            filled = path.format(**self.world.ids, kind="good_examples", number=0, part="config.json")
            for method, operation in operations.items():
                found[filled, method.upper()] = known.get(operation["operationId"], {})
        return found

    def status(self, role: str, method: str, route: str) -> str:
        """What the role gets: the status code, or "sign-in" when it is sent there. Nothing of the request stays."""
        client, path = self.clients[role], address(route, self.world)
        client.cookies = copy.deepcopy(self.cookies[role])
        client.raise_request_exception = False
        form = self.forms.get(path)
        if method == "POST" and form is not None:
            response = hostile.send(client, "post", path, form)
        elif (path, method) in self.bodies:
            response = hostile.send(client, method, path, json.dumps(self.bodies[path, method]))
        else:
            response = hostile.send(client, method, path, "" if method == "GET" else "{}")
        return described(response)


def described(response: HttpResponse) -> str:
    """The status code in words of the table."""
    if response.status_code == 302 and response["Location"].startswith("/sign-in/"):
        return "sign-in"
    return str(response.status_code)


def known_methods(route: str, views: dict[str, Callable[..., Any]]) -> list[str]:
    """The methods that the route's view has; of a page, of which the view does not tell, those of links and forms."""
    handled = getattr(views[route], "view_class", None) or getattr(views[route], "cls", None)
    if handled is None:
        return ["GET", "POST"]
    return [method for method in METHODS if hasattr(handled, method.lower())]


def found(everybody: Everybody, routes: Iterable[str]) -> dict[str, str]:
    """ "METHOD route": the statuses of the roles, for each route and each method that it knows.

    A page that answers a form as it answers a link does not look at the method, and has one row.
    """
    rows: dict[str, str] = {}
    by_route = dict(views())
    for route in routes:
        for method in known_methods(route, by_route):
            row = [everybody.status(role, method, route) for role in ROLES]
            if set(row[1:]) != {"405"} and not (method == "POST" and rows.get(f"GET {route}") == " ".join(row)):
                rows[f"{method} {route}"] = " ".join(row)
    return rows


LADDER = ("viewer", "member", "admin", "owner")
"""Roles of an account's members, each with all rights of those before."""


def representative(row: str, turn: int) -> list[str]:
    """Roles that stand for all of a row of the table: for each status one who gets it, another one with each `turn`,
    and of the account's members the last who is refused and the first who is not."""
    statuses = dict(zip(ROLES, row.split(), strict=True))
    chosen = set()
    for status in set(statuses.values()):
        same = [role for role in ROLES if statuses[role] == status]
        chosen.add(same[turn % len(same)])
    for below, above in itertools.pairwise(LADDER):
        if statuses[below] != statuses[above]:
            chosen |= {below, above}
    return [role for role in ROLES if role in chosen]


def differing(everybody: Everybody, routes: Iterable[str], table: dict[str, str]) -> dict[str, str]:
    """What representatives of the roles get otherwise than the rows of `table` say, for each method of the routes."""
    faults = {}
    by_route, methods = dict(views()), itertools.count()
    for route in routes:
        for method in known_methods(route, by_route):
            rows = _rows(table, method, route)
            asked = representative(rows[0], next(methods))
            found = {role: everybody.status(role, method, route) for role in asked}
            if not any(_agrees(row, found) for row in rows):
                faults[f"{method} {route}"] = f"{found}, where the table has {rows}"
    return faults


def _rows(table: dict[str, str], method: str, route: str) -> list[str]:
    """What may be found. As `found` does it: a page that answers a form as it answers a link has one row, and a method
    that everybody is refused has none."""
    if f"{method} {route}" in table:
        return [table[f"{method} {route}"]]
    link = [table[f"GET {route}"]] if method == "POST" and f"GET {route}" in table else []
    return [*link, " ".join(["-", *["405"] * (len(ROLES) - 1)])]


def _agrees(row: str, found: dict[str, str]) -> bool:
    said = dict(zip(ROLES, row.split(), strict=True))
    return all(said[role] in (status, "-") for role, status in found.items())
