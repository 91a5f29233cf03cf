"""Run other programs in place of ours: foreign containers by the same contract."""

from collections.abc import Sequence
from pathlib import Path

from learning.services.programs.executor import LocalExecutor, LocalProgram


class CountingExecutor(LocalExecutor):
    """Runs the counting program, whichever was asked for."""

    def start(self, arguments: Sequence[str], folder: Path, *, number: int = 1, nodes: int = 1) -> LocalProgram:
        """See LocalExecutor.start."""
        return super().start(["-m", "tests.learning.programs.counting"], folder)


class PingingExecutor(LocalExecutor):
    """Runs the program that answers pings, whichever was asked for."""

    def start(self, arguments: Sequence[str], folder: Path, *, number: int = 1, nodes: int = 1) -> LocalProgram:
        """See LocalExecutor.start."""
        return super().start(["-m", "tests.learning.programs.pinging"], folder)


class OracleExecutor(LocalExecutor):
    """Runs the oracle, whichever was asked for."""

    def __init__(self, *, truth: Path, skill: float):
        super().__init__(environment={"WAGGLE_TEST_ORACLE_TRUTH": str(truth), "WAGGLE_TEST_ORACLE_SKILL": str(skill)})

    def start(self, arguments: Sequence[str], folder: Path, *, number: int = 1, nodes: int = 1) -> LocalProgram:
        """See LocalExecutor.start."""
        return super().start(["-m", "tests.learning.programs.oracle"], folder)
