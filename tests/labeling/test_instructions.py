"""Instructions: nothing in them makes a worker's browser ask another server."""

import pytest

from labeling.models import LabelingJob
from labeling.services.jobs import instructions
from marketplace.errors import Invalid
from tests import builders
from tests.labeling import stories

INSIDE = ["/static/a.png", "a.png", "?a=http://b"]
OUTSIDE = [
    "http://b.example/a.png",
    "https://b.example/a.png",
    "HTTPS:b.example/a.png",
    "//b.example/a.png",
    "/\\b.example/a.png",
    " \t\\\\b.example/a.png",
    "ht\ntps://b.example/a.png",
]


@pytest.mark.parametrize("address", INSIDE)
def test_pictures_of_this_server_stay(address):
    html = f'<p>Look: <img src="{address}"></p>'
    assert instructions.outside_pictures(html) == []
    assert address in instructions.clean_instructions({"full": html})["full"]


@pytest.mark.parametrize("address", OUTSIDE)
def test_pictures_of_other_servers_are_named_and_taken_out(address):
    html = f'<p>Look: <img src="{address}" alt="a bee"></p>'
    assert len(instructions.outside_pictures(html)) == 1
    cleaned = instructions.clean_instructions({"full": html})["full"]
    assert "b.example" not in cleaned and 'alt="a bee"' in cleaned


@pytest.mark.parametrize(
    "tag",
    ['<video src="{}"></video>', '<p style="background: url({})">x</p>', '<link href="{}">', '<img srcset="{} 2x">'],
)
def test_nothing_else_that_loads_by_itself_is_left(tag):
    assert "b.example" not in instructions.clean_instructions({"full": tag.format("http://b.example/a")})["full"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"good_examples": [{"uri": "http://b.example/a.png"}]}, "instructions.good_examples[0]"),
        ({"bad_examples": [{"uri": "https://b.example/a.png"}]}, "instructions.bad_examples[0]"),
        ({"short": "<img src='http://b.example/a.png'>"}, "instructions.short"),
    ],
)
def test_a_job_with_pictures_of_another_server_is_refused(given, field):
    account = stories.an_account(funds="10")
    team = builders.a_team(account=account, workers=1)
    with pytest.raises(Invalid) as refused:
        stories.a_job(account, team, instructions=given)
    ((wrong, reason),) = refused.value.errors
    assert wrong == field
    assert "b.example" in reason and "upload it" in reason
    assert not LabelingJob.objects.exists()
