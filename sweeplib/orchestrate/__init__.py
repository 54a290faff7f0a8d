"""Prefect and Dask: the flow, the task runner, the project's own server. Only this package imports them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweeplib.orchestrate.analytics import analytics_flow
    from sweeplib.orchestrate.flow import sweep_flow

__all__ = ["analytics_flow", "sweep_flow"]


def __getattr__(name: str) -> Any:
    """Import a flow when it is asked for: the server's and the API's modules are used without Prefect."""
    if name == "sweep_flow":
        from sweeplib.orchestrate.flow import sweep_flow

        return sweep_flow
    if name == "analytics_flow":
        from sweeplib.orchestrate.analytics import analytics_flow

        return analytics_flow
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
