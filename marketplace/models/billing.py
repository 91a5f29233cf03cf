"""What an account has agreed with the operator about money, and money of its wallet that goes back to it."""

from decimal import Decimal

from django.db import models

from marketplace.models.accounts import Account


class BillingTerms(models.Model):
    """How an account is billed: tax on the platform's fees, and what invoices say of it."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="billing_terms")
    # On the platform's fees only, because workers are paid through the platform and not by it.
    tax_percent = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(0))
    # The first day of the first month whose fees are not taxed yet; null: no tax was ever charged.
    taxed_until = models.DateField(null=True)
    tax_label = models.CharField(max_length=40, blank=True, default="")
    tax_number = models.CharField(max_length=20, blank=True, default="")
    billing_name = models.CharField(max_length=120, blank=True, default="")
    billing_address = models.CharField(max_length=400, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tax_percent__gte=0) & models.Q(tax_percent__lte=100), name="billing_tax_in_range"
            )
        ]


class WalletRefundStatus(models.TextChoices):
    """How far a refund is; transitions.WALLET_REFUND says what may follow."""

    REQUESTED = "Requested"
    PAID = "Paid"
    REFUSED = "Refused"
    CANCELLED = "Cancelled"


class WalletRefund(models.Model):
    """Free money of a wallet that its account wants back. The operator sends it, outside."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="wallet_refunds")
    amount_micros = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=WalletRefundStatus, default=WalletRefundStatus.REQUESTED)
    status_changed_at = models.DateTimeField(null=True)
    # Why the operator has refused it.
    reason = models.CharField(max_length=300, blank=True, default="")
    requested_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_micros__gt=0), name="wallet_refund_above_zero"),
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(status=WalletRefundStatus.REQUESTED),
                name="wallet_refund_one_under_way",
            ),
        ]
        indexes = [models.Index(fields=["status", "id"], name="wallet_refund_by_status")]
