"""What MLflow finds in the environment of a command, and what that makes of the command's own calls.

A command gets the store's address and its run's id, so that its first ``mlflow.log_metric``,
``mlflow.log_params`` or ``mlflow.start_run`` goes on in that run, whatever its working folder. Tried
with MLflow 3.17:

- ``start_run(run_name=…)`` renames the run; its other arguments are ignored.
- A second ``start_run`` after the first has ended, and a nested one, make runs of their own, children
  of the combination's. The results take the combination's own run only.
- ``set_experiment`` with the job's name is fine. With another name, or with a ``set_tracking_uri`` that
  leads to another store, MLflow refuses the run that it was given and the script fails. Such a script
  opens its own runs: its job has to be tracked as one whose commands do (`TrackedSweep.own_runs`), or
  not at all.
- A parameter never changes in MLflow. What a script logs is therefore left as it is, and ours are added
  when the combination has ended. A script that logs another value at its second attempt fails there,
  because the attempts at a combination share one run.
- A script ends the run as FINISHED even if it fails; the outcome that we record last is what stays.

Commands that open their own runs get tags for these instead.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["late", "opened", "own"]


def own(uri: str, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command that opens its own runs: they get `tags`."""
    return {"MLFLOW_TRACKING_URI": uri, "MLFLOW_RUN_CONTEXT": _context(tags)}


def opened(uri: str, job: str, experiment: str, run: str) -> dict[str, str]:
    """Return the environment of a command that logs in `run`; what it opens besides are children of that."""
    return {
        **late(uri, job, experiment, {"mlflow.parentRunId": run}),
        "MLFLOW_RUN_ID": run,
    }


def late(uri: str, job: str, experiment: str, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command for which no run is open: the one that it opens gets `tags`."""
    environment = {**own(uri, tags), "MLFLOW_EXPERIMENT_ID": experiment}
    if "MLFLOW_EXPERIMENT_NAME" in os.environ:
        environment["MLFLOW_EXPERIMENT_NAME"] = job  # MLflow wants the two to agree
    return environment


def _context(tags: Mapping[str, str]) -> str:
    """Return the tags as MLflow reads them, with those that the user has set there."""
    try:
        given = json.loads(os.environ.get("MLFLOW_RUN_CONTEXT") or "{}")
    except ValueError:
        given = {}
    return json.dumps({**(given if isinstance(given, dict) else {}), **tags})
