"""When the workers' models of a job are fitted: from so many labeled objects, again when there are half as many more.

Declared here because real jobs and simulated ones have to do the same. Knows neither jobs nor answers.
"""

FIRST_FIT = 20
"""How many labeled objects there must be before the workers' models are fitted."""

GROWTH = 1.5
"""By which factor the number of labeled objects must grow before the models are fitted again."""
