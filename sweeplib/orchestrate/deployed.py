"""Where a deployment finds its flow: ``sweeplib.orchestrate.deployed.JOB`` is the flow of that job.

So a project needs no Python file a job. The jobs are those of the working folder, which a deployment's pull
step sets. What would be read in another way is percent-encoded: a dot, and the first letter of a name that
this module has itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sweeplib.orchestrate.flow import sweep_flow

if TYPE_CHECKING:
    from prefect import Flow

__all__ = ["entrypoint", "leads_to"]

_DOT = "%2E"


def entrypoint(job: str) -> str:
    """Return what a deployment of `job` names as its flow."""
    name = job.replace(".", _DOT)
    if job in globals() or job.startswith("__"):  # for which Python does not ask `__getattr__`
        name = f"%{ord(job[0]):02X}{name[1:]}"
    return f"{__name__}.{name}"


def leads_to(text: str | None, job: str) -> bool:
    """Tell whether a deployment that names this as its flow is one of `job`, encoded as it may be."""
    return unquote(text or "") == f"{__name__}.{job}"


def __getattr__(name: str) -> Flow[Any, Any]:
    if name.startswith("__"):
        raise AttributeError(name)
    return sweep_flow(unquote(name), Path.cwd())
