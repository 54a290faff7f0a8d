"""sweeplib: parameter sweeps as Prefect flows.

Importing this package imports neither Prefect nor Dask nor MLflow; `sweep_flow` does when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweeplib.syntax import collect, expand

if TYPE_CHECKING:
    from sweeplib.orchestrate import sweep_flow

__all__ = ["collect", "expand", "sweep_flow"]


def __getattr__(name: str) -> Any:
    """Import `sweep_flow` when it is asked for: it needs Prefect, which takes seconds to import."""
    if name == "sweep_flow":
        from sweeplib.orchestrate import sweep_flow

        return sweep_flow
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
