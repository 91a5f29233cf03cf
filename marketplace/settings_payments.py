"""The settings of payments, declared as those in settings_declared.py, which lists them. Pure."""

from marketplace.settings_kinds import dollars, names, text, url

MINIMUM_PAYOUT = dollars(
    "WAGGLE_MINIMUM_PAYOUT",
    "The least that workers can have paid out, because each transfer costs the operator something.",
    default="1",
)
STRIPE_SECRET_KEY = text(
    "WAGGLE_STRIPE_SECRET_KEY",
    "The secret key of the operator's account at Stripe: deposits can be paid by card, and workers be paid there.",
    expects="sk_... or rk_...",
    default_in_words="nothing of Stripe is shown",
    secret=True,
)
STRIPE_WEBHOOK_SECRET = names(
    "WAGGLE_STRIPE_WEBHOOK_SECRET",
    "The signing secrets of the webhooks at Stripe, for the own account and for connected accounts, separated by "
    "commas. Required with WAGGLE_STRIPE_SECRET_KEY, because nothing is booked that Stripe has not reported.",
    secret=True,
)
STRIPE_API_BASE = url(
    "WAGGLE_STRIPE_API_BASE",
    "Where the API of Stripe is reached; one inside the own network also has to be in WAGGLE_FETCH_ALLOWED_HOSTS.",
    ("https", "http"),
    default="https://api.stripe.com",
)
