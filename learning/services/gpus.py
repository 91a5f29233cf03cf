"""The GPUs of this machine, as NVIDIA's driver tells: for metrics and the operator's page. No torch."""

import logging
from dataclasses import asdict, dataclass
from typing import Any

import pynvml

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gpu:
    """One GPU now. `use`: the share of the last moment in which it worked, 0 to 1; memory in bytes; None: not told."""

    name: str
    use: float | None
    memory_used: int | None
    memory_total: int | None
    celsius: int | None


class Gpus:
    """Asks the driver again and again; without a driver or a GPU there is nothing to tell."""

    def __init__(self) -> None:
        try:
            pynvml.nvmlInit()
            self.count = int(pynvml.nvmlDeviceGetCount())
        except pynvml.NVMLError as error:
            log.info("no GPU is watched: %s", error)
            self.count = 0

    def read(self) -> list[dict[str, Any]]:
        """Every GPU, in the driver's order, ready for JSON."""
        try:
            return [asdict(_gpu(number)) for number in range(self.count)]
        except pynvml.NVMLError as error:
            log.warning("the GPUs do not answer, and are not watched any more: %s", error)
            self.count = 0
            return []


def _gpu(number: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(number)
    memory = _told(pynvml.nvmlDeviceGetMemoryInfo, handle)
    use = _told(pynvml.nvmlDeviceGetUtilizationRates, handle)
    celsius = _told(pynvml.nvmlDeviceGetTemperature, handle, pynvml.NVML_TEMPERATURE_GPU)
    return Gpu(
        name=str(_told(pynvml.nvmlDeviceGetName, handle) or "GPU"),
        use=None if use is None else use.gpu / 100,
        memory_used=None if memory is None else int(memory.used),
        memory_total=None if memory is None else int(memory.total),
        celsius=None if celsius is None else int(celsius),
    )


def _told(ask: Any, *arguments: Any) -> Any:
    """What the driver answers; None where this GPU does not tell, as a part of one (MIG) tells no use."""
    try:
        return ask(*arguments)
    except pynvml.NVMLError:
        return None
