"""A team's portal: where its workers sign in and see its jobs. To others it tells the organization's name only."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from frontend.networks import caller
from frontend.session import SignInForm
from labeling.services.queue import worklist
from marketplace.services import identity_providers, scope, team_access

PER_PAGE = 50


@never_cache
@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The sign-in, or the team's jobs for one of its workers. Raises NotFound for an address that leads nowhere."""
    team = team_access.of_slug(slug)
    context = {"team": team, "account": team.account, "on_team": False, "form": SignInForm(request)}
    if not request.user.is_authenticated:
        context["providers"] = identity_providers.active(team.account)
    worker = scope.worker_or_none(request.user) if request.user.is_authenticated else None
    if worker is not None and team_access.is_on(team=team, worker=worker):
        address = caller(request)
        found = worklist.queues_with_work(worker, address).filter(workteam=team)
        shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        outside = [one for one in team_access.teams_outside(worker=worker, address=address) if one.pk == team.pk]
        context |= {
            "on_team": True,
            "page": shown,
            "rows": worklist.with_counts(worker, shown),
            "outside": outside,
            "address": address,
        }
    return render(request, "worker/portal.html", context)
