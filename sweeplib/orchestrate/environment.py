"""What a Dask worker needs in its environment before it imports Prefect, which nothing here does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from distributed.diagnostics.plugin import WorkerPlugin

if TYPE_CHECKING:
    from distributed import Worker

__all__ = ["Environment"]


class Environment(WorkerPlugin):
    """Sets environment variables in every worker process, those that join later included.

    A worker process that imports Prefect without ``PREFECT_API_URL`` in its environment starts a temporary
    server of its own, which lives on when the worker is killed. So this module, which the worker imports to
    read the plugin, must be the first of ours that it sees, and must not import Prefect.
    """

    name = "sweeplib-environment"

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """Set the variables."""
        os.environ.update(self._variables)
