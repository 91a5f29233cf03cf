"""Programs that learn from texts, with scikit-learn: no torch, no Django; each runs alone and nobody imports it.

Before scikit-learn loads OpenMP, its threads are told to sleep while they wait (see learning/vision/__init__.py).
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
