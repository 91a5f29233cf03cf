import pytest

from tests.frontend.roles import Everybody, found
from tests.frontend.test_permissions import ALL
from tests.frontend.world import a_world

WORDS = ("money", "bonuses", "resume", "statement", "refund", "billing", "chargeback", "taxes", "hourly")


@pytest.mark.django_db
@pytest.mark.timeout(900)
def test_gen():
    mine = [r for r in ALL if any(w in r for w in WORDS) and r != "api/v1/wallet/statement"]
    rows = found(Everybody(a_world()), mine)
    with open("/tmp/perm_rows.txt", "w") as f:
        f.write("\n".join(f"{k}\t{v}" for k, v in rows.items()))
