"""Who may call the routes by which an operator sees the system, and anybody chooses a language; see route_sets.py."""

PUBLIC = {"health/", "health/live/", "language/"}
# /metrics is an unknown address to others, unless they have its token (test_metrics.py).
OPERATOR = {"operator/", "metrics", "operator/system/", "operator/system/now/"}
