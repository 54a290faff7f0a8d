"""The end of a process that has run a flow: Python takes half a second to take Prefect and Dask apart."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress

__all__ = ["ends_with", "prepare"]

_code: int | None = None


def prepare() -> None:
    """Have the process end at once when everything that is to be done at its exit has been done.

    To be called before Prefect and Dask are imported: what is registered first is called last. Nothing
    happens unless `ends_with` says how the process ends.
    """
    atexit.register(_end)


def ends_with(code: int) -> None:
    """Say that the process is about to end with this exit code."""
    global _code
    _code = code


def _end() -> None:
    if _code is None:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it has gone
            stream.flush()
    os._exit(_code)
