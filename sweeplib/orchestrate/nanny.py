"""Variables that Dask sets in the environment of its workers, and that are no user's word on threads."""

from __future__ import annotations

import os

import dask.config
from distributed import get_worker

from sweeplib.run.threads import VARIABLES

__all__ = ["set_by_nanny"]


def set_by_nanny() -> list[str]:
    """Return the names of those variables in this worker process that its nanny has set.

    A nanny gives a worker one thread for OpenMP and BLAS, where the user has not said how many: Dask's own
    tasks would share the processors. A command that has processors to itself is to have its threads.
    """
    if get_worker().nanny is None:
        return []
    said = dask.config.get("distributed.nanny.pre-spawn-environ")
    return [name for name in VARIABLES if name in said and os.environ.get(name) == str(said[name])]
