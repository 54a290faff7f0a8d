"""Prefect and Dask: the flow, the task runner, the project's own server. Only this package imports them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweeplib.orchestrate.flow import sweep_flow

__all__ = ["sweep_flow"]


def __getattr__(name: str) -> Any:
    """Import the flow when it is asked for: the server's and the API's modules are used without Prefect."""
    if name == "sweep_flow":
        from sweeplib.orchestrate.flow import sweep_flow

        return sweep_flow
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
