"""What all programs of this folder share; it is the same for those of serving."""

from learning.serving.program import Stop, log, run

__all__ = ["Stop", "log", "run"]
