"""sweeplib: parameter sweeps as Prefect flows.

Importing this package imports neither Prefect nor Dask nor MLflow; `sweep_flow` and `analytics_flow` do
when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweeplib.syntax import collect, expand

if TYPE_CHECKING:
    from sweeplib.orchestrate import analytics_flow, sweep_flow

__all__ = ["analytics_flow", "collect", "expand", "sweep_flow"]


def __getattr__(name: str) -> Any:
    """Import a flow's maker when it is asked for: it needs Prefect, which takes seconds to import."""
    if name in ("analytics_flow", "sweep_flow"):
        from sweeplib import orchestrate

        return getattr(orchestrate, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
