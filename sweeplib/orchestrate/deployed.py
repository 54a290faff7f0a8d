"""Where a deployment finds its flow: ``sweeplib.orchestrate.deployed.JOB`` is the flow of that job.

So a project needs no Python file a job. The jobs are those of the working folder, which a deployment's pull
step sets. A name that cannot stand in a dotted path is percent-encoded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sweeplib.orchestrate.flow import sweep_flow

if TYPE_CHECKING:
    from prefect import Flow

__all__ = ["entrypoint"]

_DOT = "%2E"


def entrypoint(job: str) -> str:
    """Return what a deployment of `job` names as its flow."""
    return f"{__name__}.{job.replace('.', _DOT)}"


def __getattr__(name: str) -> Flow[Any, Any]:
    if name.startswith("__"):
        raise AttributeError(name)
    return sweep_flow(unquote(name), Path.cwd())
