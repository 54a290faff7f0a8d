"""The engine: brings plan, ledger, submitter and tracker together, knowing no Prefect, Dask or MLflow."""

from sweeplib.engine.code import Change, Codes, Outdated, Rerun
from sweeplib.engine.earlier import report_earlier
from sweeplib.engine.execution import Execution, load_modules
from sweeplib.engine.git import GitState, git_state
from sweeplib.engine.local import LocalSubmitter
from sweeplib.engine.lock import Lock
from sweeplib.engine.loop import run_sweep
from sweeplib.engine.model import (
    Acknowledged,
    EndedRun,
    Finished,
    Observer,
    Progress,
    Submitter,
    Summary,
    TrackedRun,
    TrackedSweep,
    Tracker,
)
from sweeplib.engine.recovery import recover, recover_sweep
from sweeplib.engine.remaining import remaining

__all__ = [
    "Acknowledged",
    "Change",
    "Codes",
    "EndedRun",
    "Execution",
    "Finished",
    "GitState",
    "LocalSubmitter",
    "Lock",
    "Observer",
    "Outdated",
    "Progress",
    "Rerun",
    "Submitter",
    "Summary",
    "TrackedRun",
    "TrackedSweep",
    "Tracker",
    "git_state",
    "load_modules",
    "recover",
    "recover_sweep",
    "remaining",
    "report_earlier",
    "run_sweep",
]
