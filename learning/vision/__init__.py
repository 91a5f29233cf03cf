"""The torch programs. Before torch loads OpenMP, its threads are told to sleep while they wait for each other.

By default they spin, and beside other busy processes (the web server, the queue, a crowd of workers) each of the
hundreds of barriers in a step then burns a whole time slice: on 2 busy cores training was 2 to 15 times slower.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
