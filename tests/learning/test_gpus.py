"""GPUs of a learner: nothing is told where there is none, and a heartbeat carries what is told."""

import pynvml
import pytest
from django.utils import timezone

from learning.services import figures, gpus
from marketplace import metrics
from marketplace.services import heartbeats


def test_a_machine_without_a_driver_has_none(caplog):
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        watched = gpus.Gpus()
        assert (watched.count, watched.read()) == (0, [])
    else:
        read = gpus.Gpus().read()
        assert len(read) == pynvml.nvmlDeviceGetCount()
        assert all(0 <= one["memory_used"] <= one["memory_total"] for one in read if one["memory_total"] is not None)


@pytest.mark.django_db
def test_what_a_gpu_does_not_tell_is_left_out():
    whole = {"name": "H100", "use": 0.5, "memory_used": 10, "memory_total": 80, "celsius": 40}
    part = {"name": "MIG", "use": None, "memory_used": 1, "memory_total": 8, "celsius": None}
    heartbeats.note(heartbeats.LEARNER, place="bee-1", figures={"gpus": [whole, part]})
    heartbeats.note(
        heartbeats.LEARNER, place="gone", figures={"gpus": [whole]}, now=timezone.now() - 2 * figures.SILENT
    )
    found = dict(figures.found())
    assert found[metrics.GPU_USE] == {("bee-1", "0"): 0.5}
    assert found[metrics.GPU_CELSIUS] == {("bee-1", "0"): 40}
    assert found[metrics.GPU_MEMORY] == {
        ("bee-1", "0", "used"): 10,
        ("bee-1", "0", "total"): 80,
        ("bee-1", "1", "used"): 1,
        ("bee-1", "1", "total"): 8,
    }
