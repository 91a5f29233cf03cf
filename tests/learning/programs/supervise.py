"""A supervisor in a process of its own, to be killed by the tests: python supervise.py <root> [<claim timeout>]."""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import django  # noqa: E402

django.setup()

from learning.services.programs.supervisor import Supervisor  # noqa: E402
from tests.learning.programs.executor import CountingExecutor, OracleExecutor  # noqa: E402

if __name__ == "__main__":
    executor = CountingExecutor()
    if os.environ.get("WAGGLE_TEST_EXECUTOR") == "oracle":
        skill = float(os.environ["WAGGLE_TEST_ORACLE_SKILL"])
        executor = OracleExecutor(truth=Path(os.environ["WAGGLE_TEST_ORACLE_TRUTH"]), skill=skill)
    timeout = timedelta(seconds=float(sys.argv[2]) if len(sys.argv) > 2 else 30)
    supervisor = Supervisor(executor=executor, slots=2, root=Path(sys.argv[1]), claim_timeout=timeout)
    signal.signal(signal.SIGTERM, lambda *_: supervisor.stopping.set())
    supervisor.run(pause=0.1)
