"""Memory: kept from step to step, and recognised as used up. It must not know what it is used for."""

import ctypes
import gc

import torch

# What torch and its libraries say on a CPU, where they raise no error of its own.
_SAID = ("can't allocate memory", "not enough memory", "std::bad_alloc", "out of memory")


_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # glibc's malloc.h


def keep_freed() -> bool:
    """Let the C library keep what is freed for the next step, as torch keeps what is freed on a card.

    Every step allocates and frees the same large blocks. By default glibc takes those from the system and gives them
    back, which costs a fault and a cleared page for each 4 KiB of them: a fifth of a step of the compact detector.
    How much depends on what was freed before, so that the steps of one run were slower than those of another.
    Returns whether there is such a library here.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # No block from the system alone, little asked of it often, and nothing given back.
    return all([mallopt(_MMAP_MAX, 0), mallopt(_TOP_PAD, 64 << 20), mallopt(_TRIM_THRESHOLD, 2**31 - 1)])


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
