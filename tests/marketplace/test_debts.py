"""A deposit that is reversed, what is owed then, and money of a wallet that goes back to its account."""

import pytest

from marketplace.errors import AccountOwes, BookedAlready, Invalid, LimitExceeded, NotFound, WrongState
from marketplace.models import EntryKind, Notice, NoticeKind, Subject
from marketplace.services import debts, escrow, ledger_audit, wallet_refunds, wallets
from tests.labeling import stories

pytestmark = pytest.mark.django_db
DOLLAR = 1_000_000


@pytest.fixture
def account():
    """An account with a deposit of 50 dollars, "bank-1"."""
    found = stories.an_account(funds="0")
    wallets.deposit(account=found, amount_micros=50 * DOLLAR, reference="bank-1", by="operator")
    return found


def spend(account, dollars):
    """Set money of the account aside for work, as an open batch does."""
    fact = Subject("test-work", account.pk)
    escrow.reserve(account=account, purpose=fact, subject=fact, amount_micros=dollars * DOLLAR, by="x")


def reverse(reference="bank-1"):
    return debts.reverse_deposit(reference=reference, reason="the bank took it back", by="operator")


def whole():
    assert ledger_audit.findings() == []


def test_a_reversal_takes_out_of_the_wallet_what_it_holds(account):
    done = reverse()
    assert (done.account, done.amount_micros, done.owed_micros) == (account, 50 * DOLLAR, 0)
    assert wallets.balance(account) == debts.owed(account) == 0
    whole()


def test_what_is_spent_is_owed_and_nothing_else_can_be_spent_until_it_is_settled(account):
    spend(account, 30)
    assert reverse().owed_micros == debts.owed(account) == 30 * DOLLAR
    whole()
    with pytest.raises(AccountOwes, match=r"owes 30\.000000 dollars"):
        spend(account, 1)
    with pytest.raises(AccountOwes):
        wallet_refunds.request(account=account, by="x")
    wallets.deposit(account=account, amount_micros=10 * DOLLAR, reference="bank-2", by="operator")
    assert (wallets.balance(account), debts.owed(account)) == (0, 20 * DOLLAR)
    escrow.refund(
        account=account, purpose=Subject("test-work", account.pk), subject=Subject("test-work", account.pk), by="x"
    )
    debts.settle_all()
    assert (wallets.balance(account), debts.owed(account)) == (10 * DOLLAR, 0)
    debts.settle_all()
    whole()
    fact = Subject("test-work", account.pk + 1)
    escrow.reserve(account=account, purpose=fact, subject=fact, amount_micros=DOLLAR, by="x")


def test_a_deposit_is_reversed_once_and_only_one_that_was_booked(account):
    reverse()
    with pytest.raises(BookedAlready):
        reverse()
    with pytest.raises(NotFound):
        reverse("bank-7")
    with pytest.raises(Invalid):
        debts.reverse_deposit(reference="bank-1", reason=" ", by="x")
    assert wallets.balance(account) == debts.owed(account) == 0


def test_the_audit_finds_a_settlement_of_more_than_is_owed(account):
    from marketplace.models import LedgerKind
    from marketplace.services import ledger

    ledger.post(
        kind=EntryKind.SETTLEMENT,
        subject=Subject("account", account.pk),
        given_reference="wrong",
        postings={wallets.wallet(account): -5, ledger.pocket(LedgerKind.OWED, account=account): 5},
        by="x",
    )
    assert [finding.check for finding in ledger_audit.findings()] == ["nobody is owed by the platform"]


def told(account) -> list[str]:
    """What the account's owner was told of payments."""
    rows = Notice.objects.filter(user=account.members.get(), account=account, kind=NoticeKind.PAYOUT)
    return list(rows.values_list("text", flat=True))


class TestRefunds:
    def test_the_whole_way(self, account):
        refund = wallet_refunds.request(account=account, amount_micros=20 * DOLLAR, by="x")
        assert wallets.balance(account) == 30 * DOLLAR
        whole()
        with pytest.raises(WrongState, match="under way"):
            wallet_refunds.request(account=account, by="x")
        assert wallet_refunds.mark_paid(refund=refund, by="operator")
        assert not wallet_refunds.mark_paid(refund=refund, by="operator")
        assert told(account) == [f"The refund of 20.00 dollars from the wallet of {account.name} was paid."]
        assert wallets.balance(account) == 30 * DOLLAR
        whole()

    def test_a_refused_or_cancelled_one_is_in_the_wallet_again(self, account):
        refund = wallet_refunds.request(account=account, by="x")
        assert (refund.amount_micros, wallets.balance(account)) == (50 * DOLLAR, 0)
        assert wallet_refunds.refuse(refund=refund, reason="the card is closed", by="operator")
        assert (refund.status, refund.reason, wallets.balance(account)) == (
            "Refused",
            "the card is closed",
            50 * DOLLAR,
        )
        assert told(account)[0].endswith("was refused and is in the wallet again: the card is closed.")
        again = wallet_refunds.request(account=account, by="x")
        assert wallet_refunds.cancel(refund=again, by="x") and not wallet_refunds.cancel(refund=again, by="x")
        assert wallets.balance(account) == 50 * DOLLAR
        whole()

    def test_it_is_not_sent_while_the_account_owes_and_its_refusal_settles(self, account):
        refund = wallet_refunds.request(account=account, amount_micros=20 * DOLLAR, by="x")
        assert reverse().owed_micros == 20 * DOLLAR
        with pytest.raises(WrongState, match="owes"):
            wallet_refunds.mark_paid(refund=refund, by="operator")
        wallet_refunds.refuse(refund=refund, reason="charged back", by="operator")
        assert wallets.balance(account) == debts.owed(account) == 0
        whole()

    @pytest.mark.parametrize("amount", [0, -1, 5_000, 1])
    def test_amounts_that_banks_cannot_transfer(self, account, amount):
        with pytest.raises(Invalid):
            wallet_refunds.request(account=account, amount_micros=amount, by="x")

    def test_more_than_is_free(self, account):
        with pytest.raises(LimitExceeded):
            wallet_refunds.request(account=account, amount_micros=51 * DOLLAR, by="x")
