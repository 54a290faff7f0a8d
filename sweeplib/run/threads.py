"""How many threads the libraries of a command start: as many as it has processors (``cpu``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeplib.run.machine import processors

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VARIABLES", "threads"]

_OPENMP = "OMP_NUM_THREADS"
_LIKE_OPENMP = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_OTHERS = (
    "NUMEXPR_MAX_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "JULIA_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",  # joblib's, and so what n_jobs=-1 means to scikit-learn
)

VARIABLES = (_OPENMP, *_LIKE_OPENMP, *_OTHERS)
"""Variables from which the usual libraries take how many threads to start."""


def threads(cpu: float | None, env: Mapping[str, str | None]) -> dict[str, str]:
    """Return the variables to set for a command that has `cpu` processors, and this environment otherwise.

    No more threads than this machine has processors. What is in the environment stays as it is: the user said
    so. Libraries that go by OpenMP's variable where their own is missing are left to it, if it is there.
    """
    if cpu is None:
        return {}
    wanted = _OTHERS if env.get(_OPENMP) is not None else VARIABLES
    return {name: str(max(1, min(int(cpu), processors()))) for name in wanted if env.get(name) is None}
