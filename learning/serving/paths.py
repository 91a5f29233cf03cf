"""Where the two sides of a replica's folder look for what only replicas have. Relative to the folder."""

PORT = "output/port"
"""Written by the program, once it has chosen one."""
TOKEN = "input/config/token"
"""Written by the supervisor: what requests have to name."""
ADDRESS = "output/address"
"""Written instead of PORT by a program whose address is not the learner's: the URL."""
