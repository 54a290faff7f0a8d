"""Where the project's own server has the files of a sweep, for links from pages in Prefect."""

from __future__ import annotations

from pathlib import Path

__all__ = ["LOG", "RESULTS", "log_address", "results_address"]

RESULTS = "/sweeps/{sweep}/results.csv"
LOG = "/sweeps/{sweep}/logs/{name}"


def results_address(ui: str, sweep: str) -> str:
    """Return where the server at `ui` has all results of a sweep, as CSV."""
    return ui + RESULTS.format(sweep=sweep)


def log_address(ui: str, sweep: str, log: str) -> str:
    """Return where the server at `ui` has a log file of a sweep."""
    return ui + LOG.format(sweep=sweep, name=Path(log).name)
