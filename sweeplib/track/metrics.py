"""Metrics that a script logs: a thin call into MLflow."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["log_metrics"]

_TRACKED = ("MLFLOW_RUN_ID", "MLFLOW_RUN_CONTEXT")


def log_metrics(metrics: Mapping[str, float], step: int | None = None) -> None:
    """Log metrics to the MLflow run of this combination, at `step`; outside a sweep, to an active run if any.

    Where there is neither, or the job is not tracked, nothing is logged.
    """
    tracked = any(name in os.environ for name in _TRACKED)
    if not tracked and "mlflow" not in sys.modules:
        return
    import mlflow

    if tracked or mlflow.active_run() is not None:
        mlflow.log_metrics(dict(metrics), step=step)
