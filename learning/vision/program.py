"""What all programs share (see learning/program.py), under the name by which those of this folder import it."""

from learning.program import Stop, log, run

__all__ = ["Stop", "log", "run"]
