"""Panels: how an outside crowd comes in by link and goes out again. Knows nothing of tasks and sessions.

What a provider writes into its links, and where it wants people sent, is in PRESETS. The ids in a link are what the
provider says; nothing shows that a browser has not changed them. docs/panels.md says what follows from that.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any
from urllib.parse import quote, urlsplit

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from marketplace import money
from marketplace.errors import Invalid, NameTaken, NotFound
from marketplace.models import Account, Crowd, Panel, PanelProvider, User, Worker, Workteam
from marketplace.names import check_name
from marketplace.ranges import Range
from marketplace.services import audit, eligibility, workteams

COMPLETED, SCREENED_OUT, QUOTA_FULL, NO_CONSENT = "completed", "screened_out", "quota_full", "no_consent"
EXITS = (COMPLETED, SCREENED_OUT, QUOTA_FULL, NO_CONSENT)
"""How participants leave, each with a code, an address or both."""

TASKS = Range(1, 1000)
"""Tasks of a session."""
MINUTES = Range(1, 1440)
"""Minutes that a session may take."""
SESSIONS = Range(1, 100_000)
"""Sessions wanted of a panel for one job."""
CONSENT_LENGTH = Range(1, 10_000)
"""Characters of what participants agree to."""
PARAMETER_LENGTH = Range(0, 40)
"""Characters of a name in a link's query."""
CODE_LENGTH = Range(0, 60)
"""Characters of a completion code."""
URL_LENGTH = Range(0, 500)
"""Characters of the address that participants are sent to."""
FEE_PERCENT = Range(0, 500)
"""What a provider charges on top of the reward."""
MOST_REWARD_MICROS = 10**15 - 1
"""The largest amount that is written with nine digits and six decimals."""

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,99}")
"""An id in a link. It begins with a letter or a digit, so that no table program takes it for a formula."""
PARAMETER = re.compile(r"[A-Za-z0-9_.-]{1,40}")
CODE = re.compile(r"[A-Za-z0-9_-]{1,60}")
LINK_BYTES = 16
DOMAIN = "participants.invalid"
"""Of the addresses that participants' users have because every user has one; RFC 2606 keeps it from ever existing."""


@dataclass(frozen=True)
class Preset:
    """What a provider writes into links, and where a completion code takes people.

    `placeholders`: what stands for participant, study and session in the link that is given to the provider.
    `exit_url`: the address to which a code is appended; "": the provider's own address is entered beside each code.
    """

    parameters: tuple[str, str, str]
    placeholders: tuple[str, str, str] = ("", "", "")
    exit_url: str = ""


PRESETS: dict[str, Preset] = {
    PanelProvider.PROLIFIC: Preset(
        ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
        ("{{%PROLIFIC_PID%}}", "{{%STUDY_ID%}}", "{{%SESSION_ID%}}"),
        "https://app.prolific.com/submissions/complete?cc=",
    ),
    # It adds its parameters to the address by itself.
    PanelProvider.CONNECT: Preset(("participantId", "projectId", "assignmentId")),
    PanelProvider.BESAMPLE: Preset(("participant", "study", "session")),
    PanelProvider.OTHER: Preset(("participant", "", "")),
}


@dataclass(frozen=True)
class Visit:
    """What a link says about who comes: the provider's ids of participant, study and visit; "" for what is not told."""

    participant: str
    study: str
    session: str


def create_panel(*, account: Account, name: str, by: str, **values: Any) -> Panel:
    """A panel of the account, with its team. `values` are the fields of Panel; names of the query default to the
    provider's.

    Raises Invalid naming every field that is wrong, NameTaken for the name of another team or panel.
    """
    check_name(name)
    provider = values.get("provider")
    preset = PRESETS.get(str(provider))
    if preset is None:
        raise Invalid(f"{provider!r} found, one of {', '.join(PRESETS)} expected", field="provider")
    given = dict(zip(("participant_parameter", "study_parameter", "session_parameter"), preset.parameters, strict=True))
    given |= values
    _check(given)
    try:
        with transaction.atomic():
            team = Workteam.objects.create(account=account, name=name, crowd=Crowd.PRIVATE)
            eligibility.group_of_panel(team)
            link = secrets.token_urlsafe(LINK_BYTES)
            panel = Panel.objects.create(account=account, workteam=team, link=link, **given)
            audit.record(panel, by=by, because="created")
    except IntegrityError as error:
        if "workteam_name_once" not in str(error):
            raise
        raise NameTaken(f"the account has a team or panel {name!r} already", field="name") from None
    return panel


def change_panel(*, panel: Panel, by: str, **values: Any) -> None:
    """Change fields of a panel; sessions that have begun keep what held when they began. Raises Invalid."""
    with transaction.atomic():
        row = Panel.objects.select_for_update(no_key=True, of=("self",)).get(pk=panel.pk)
        fields = ("provider", *FIELDS)
        _check({name: values.get(name, getattr(row, name)) for name in fields})
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
        audit.record(row, by=by, because="changed")
    panel.refresh_from_db()


FIELDS = (
    "participant_parameter",
    "study_parameter",
    "session_parameter",
    "exits",
    "tasks_per_session",
    "session_minutes",
    "sessions_wanted",
    "consent",
    "reward_micros",
    "provider_fee_percent",
)
"""What can be changed later, besides the provider."""


def _check(given: Mapping[str, Any]) -> None:
    """Raises Invalid naming every field that is wrong."""
    wrong: list[tuple[str, str]] = []
    numbers = {"tasks_per_session": TASKS, "session_minutes": MINUTES, "sessions_wanted": SESSIONS}
    for name, allowed in numbers.items():
        if not isinstance(given.get(name), int) or given[name] not in allowed:
            wrong.append((name, f"{given.get(name)!r} found, a whole number of {allowed} expected"))
    names = [str(given.get(f"{part}_parameter") or "") for part in ("participant", "study", "session")]
    for part, name in zip(("participant", "study", "session"), names, strict=True):
        if (name or part == "participant") and not PARAMETER.fullmatch(name):
            wrong.append((f"{part}_parameter", f"{name!r} found, letters, digits, '_', '.' and '-' expected"))
        elif name and names.count(name) > 1:
            wrong.append((f"{part}_parameter", f"{name!r} stands for two things"))
    consent = given.get("consent")
    if not isinstance(consent, str) or not consent.strip() or len(consent) not in CONSENT_LENGTH:
        wrong.append(("consent", f"a text of {CONSENT_LENGTH} characters expected"))
    if not 0 <= given.get("reward_micros", 0) <= MOST_REWARD_MICROS:
        wrong.append(("reward", f"0 to {money.text(MOST_REWARD_MICROS)} dollars expected"))
    fee = Decimal(given.get("provider_fee_percent", 0))
    if not (FEE_PERCENT.low <= fee <= FEE_PERCENT.longest and fee == round(fee, 2)):
        wrong.append(("provider_fee_percent", f"{FEE_PERCENT} percent with at most two decimals expected"))
    wrong += _exit_errors(given.get("exits", {}), PRESETS[given["provider"]])
    if wrong:
        raise Invalid(f"these fields are wrong: {', '.join(name for name, _ in wrong)}", errors=wrong)


def _exit_errors(exits: Mapping[str, Mapping[str, str]], preset: Preset) -> list[tuple[str, str]]:
    wrong = []
    for kind in EXITS:
        code, url = _exit(exits, kind)
        if code and not CODE.fullmatch(code):
            wrong.append((f"{kind}_code", "1 to 60 letters, digits, '-' and '_' expected"))
        if url and not _is_address(url):
            wrong.append((f"{kind}_url", "an address that begins with https:// or http:// expected"))
    if not any(_exit(exits, COMPLETED)):
        needed = "a code" if preset.exit_url else "a code or an address"
        wrong.append((f"{COMPLETED}_code", f"{needed} is needed: without it nobody can prove that they are done"))
    return wrong


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = len(url) in URL_LENGTH and not re.search(r"[\s\"'<>\\]", url)
    return plain and parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc


def _exit(exits: Mapping[str, Mapping[str, str]], kind: str) -> tuple[str, str]:
    given = exits.get(kind) or {}
    return given.get("code", ""), given.get("url", "")


def way_out(panel: Panel, kind: str) -> tuple[str, str]:
    """(code, address) by which a participant leaves; "" where the panel has none.

    A study that is full is left as by a screen-out, unless it has a way of its own.
    """
    code, url = _exit(panel.exits, kind)
    if kind == QUOTA_FULL and not (code or url):
        return way_out(panel, SCREENED_OUT)
    base = PRESETS[panel.provider].exit_url
    return code, url or (base + quote(code) if base and code else "")


def query_of(panel: Panel) -> str:
    """The query of the link that is given to the provider, with its placeholders as it writes them; may be ""."""
    names = (panel.participant_parameter, panel.study_parameter, panel.session_parameter)
    stands_for = PRESETS[panel.provider].placeholders
    return "&".join(f"{name}={put}" for name, put in zip(names, stands_for, strict=True) if name and put)


def of_link(link: str) -> Panel:
    """The panel of a link, with team and account. Raises NotFound."""
    found = Panel.objects.select_related("workteam", "account").filter(link=link).first()
    if found is None:
        raise NotFound("this link leads to no study; check that it is complete")
    return found


def visit_of(panel: Panel, query: Mapping[str, Any]) -> Visit:
    """Who comes, by the query of the link. Raises Invalid for ids that are missing or cannot be ids."""

    def one(name: str, what: str) -> str:
        if not name:
            return ""
        text = str(query.get(name, ""))
        if not ID.fullmatch(text):
            raise Invalid(f"the link does not say the {what}: {name} is missing or is no id", field=name)
        return text

    return Visit(
        one(panel.participant_parameter, "participant"),
        one(panel.study_parameter, "study"),
        one(panel.session_parameter, "session"),
    )


def participant(panel: Panel, visit: Visit) -> Worker | None:
    """The worker of the panel with this id, None for somebody new."""
    return Worker.objects.select_related("user").filter(panel=panel, participant=visit.participant).first()


def make_participant(panel: Panel, visit: Visit) -> Worker:
    """The worker of the panel with this id, made at the first call: a user without password and address.

    Needs a transaction in which the panel is locked.
    """
    if (known := participant(panel, visit)) is not None:
        return known
    name = f"{secrets.token_hex(12)}@{DOMAIN}"
    user = User.objects.create(username=name, email=name, is_participant=True, password=make_password(None))
    worker = Worker.objects.create(
        user=user, public_id=secrets.token_hex(8).upper(), panel=panel, participant=visit.participant
    )
    workteams.add_worker(team=panel.workteam, worker=worker, by="system")
    return worker


@dataclass(frozen=True)
class Cost:
    """What so many sessions cost at the provider: their rewards and its fee, in micro-dollars."""

    sessions: int
    reward_micros: int
    fee_micros: int

    @property
    def total_micros(self) -> int:
        """Rewards and fee."""
        return self.reward_micros + self.fee_micros


def cost(panel: Panel, *, answers: int) -> Cost:
    """What so many answers will cost at the provider, in whole sessions."""
    sessions = ceil(answers / panel.tasks_per_session)
    reward = sessions * panel.reward_micros
    return Cost(sessions, reward, money.share(reward, Decimal(panel.provider_fee_percent)))
