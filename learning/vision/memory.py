"""Recognises that the memory of the device, or of the machine, is used up. It must not know what it was used for."""

import gc

import torch

# What torch and its libraries say on a CPU, where they raise no error of its own.
_SAID = ("can't allocate memory", "not enough memory", "std::bad_alloc", "out of memory")


def is_exhausted(error: BaseException) -> bool:
    """Whether an error says that there was no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID)


def release() -> None:
    """Give back what is no longer used."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
