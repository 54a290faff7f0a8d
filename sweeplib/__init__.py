"""sweeplib: parameter sweeps as Prefect flows.

Importing this package imports neither Prefect nor Dask nor MLflow; `sweep_flow`, `analytics_flow` and
`run_multiple` do when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweeplib.script import param, params
from sweeplib.syntax import collect, expand

if TYPE_CHECKING:
    from sweeplib.experiments import ExperimentResult, ExperimentResults, ExperimentSpec, run_multiple
    from sweeplib.orchestrate import analytics_flow, sweep_flow
    from sweeplib.track.metrics import log_metrics

__all__ = [
    "ExperimentResult",
    "ExperimentResults",
    "ExperimentSpec",
    "analytics_flow",
    "collect",
    "expand",
    "log_metrics",
    "param",
    "params",
    "run_multiple",
    "sweep_flow",
]

_EXPERIMENTS = ("ExperimentResult", "ExperimentResults", "ExperimentSpec", "run_multiple")


def __getattr__(name: str) -> Any:
    """Import what few programs need when it is asked for: Prefect takes seconds to import."""
    if name in _EXPERIMENTS:
        from sweeplib import experiments

        return getattr(experiments, name)
    if name == "log_metrics":
        from sweeplib.track import metrics

        return metrics.log_metrics
    if name in ("analytics_flow", "sweep_flow"):
        from sweeplib import orchestrate

        return getattr(orchestrate, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
