"""What workers say of themselves: country, languages, that they are of age. Nobody has checked it."""

from collections.abc import Sequence
from functools import cache

from babel import Locale
from django.db import transaction
from django.utils import timezone

from marketplace.errors import Invalid
from marketplace.models import Worker, WorkerProfile
from marketplace.ranges import Range
from marketplace.services import workteams

LANGUAGES = Range(0, 20)
"""How many languages a worker names."""

CODE_LENGTH = Range(2, 2)
"""Characters of a country's code (ISO 3166-1 alpha-2) and of a language's (ISO 639-1)."""

# Codes that CLDR has for other things than countries: unions, parts of countries, pseudo-locales, "unknown".
_NO_COUNTRY = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})


@cache
def countries(language: str = "en") -> dict[str, str]:
    """Names of the countries in that language by their codes, in the order of the names."""
    named = Locale(language).territories
    found = {code: str(name) for code, name in named.items() if len(code) == 2 and code.isalpha()}
    return dict(sorted(((c, n) for c, n in found.items() if c not in _NO_COUNTRY), key=lambda item: item[1]))


@cache
def spoken(language: str = "en") -> dict[str, str]:
    """Names of the languages in that language by their codes, in the order of the names."""
    found = {code: str(name) for code, name in Locale(language).languages.items() if len(code) == 2}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def of(worker: Worker) -> WorkerProfile:
    """The worker's profile; an empty one that is not stored for somebody who has said nothing."""
    return WorkerProfile.objects.filter(worker=worker).first() or WorkerProfile(worker=worker)


def put(*, worker: Worker, country: str, languages: Sequence[str], adult: bool) -> WorkerProfile:
    """Replace what a worker says of themselves. Safe to repeat.

    `adult` confirms that they are of age where they live; taking it back ends their access to work with adult content.
    Raises Invalid naming every field that is wrong.
    """
    errors = []
    if country and country not in countries():
        errors.append(("country", f"{country!r} found, a country's code such as DE expected"))
    if len(languages) not in LANGUAGES:
        errors.append(("languages", f"{len(languages)} found, {LANGUAGES} languages expected"))
    known = spoken()
    errors += [
        (f"languages[{place}]", f"{code!r} found, a language's code such as en expected")
        for place, code in enumerate(languages)
        if code not in known
    ]
    if errors:
        raise Invalid("; ".join(reason for _, reason in errors), errors=errors)
    with transaction.atomic():
        row, _ = WorkerProfile.objects.select_for_update().get_or_create(worker=worker)
        row.country, row.languages = country, list(dict.fromkeys(languages))
        row.adult_since = (row.adult_since or timezone.now()) if adult else None
        row.save()
        workteams.sort_adults(worker)
    return row
