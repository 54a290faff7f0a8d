"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.processes import ROOT

__all__ = ["describe", "load"]

_OURS = ("sweeplib", "prefect", "prefect-dask", "distributed", "mlflow")


def describe(peers: str = "") -> dict[str, str]:
    """Return lines that tell machine, versions and date; `peers` tells the versions of the peers, if any."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    ours = ", ".join(f"{name} {version(name)}" for name in _OURS)
    return {
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}",
        "Machine": f"{cores} cores, {_processor()}, {_memory()}, {platform.system()} {platform.release()}",
        "Ours": f"Python {platform.python_version()}, {ours}",
        **({"Peers": peers} if peers else {}),
    }


def load() -> str:
    """Return the load averages over 1, 5 and 15 minutes: numbers from a busy machine say little."""
    return ", ".join(f"{value:.2f}" for value in os.getloadavg())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB"


def _commit() -> str:
    """Return the commit that is checked out, and whether files differ from it."""
    git = ["git", "-C", str(ROOT)]
    commit = _first_line([*git, "rev-parse", "--short", "HEAD"])
    changed = _first_line([*git, "status", "--porcelain", "--untracked-files=no"])
    return f"{commit or 'unknown'}{' with changes' if changed else ''}"


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return (done.stdout.splitlines() or [""])[0]
