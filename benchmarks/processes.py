"""Running what is measured: a command for its cost, a runner of `benchmarks.runners` for what it tells."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.model import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ROOT", "Cost", "Told", "cost", "isolate", "output", "runner", "sweep"]

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE = 1800.0  # seconds for one command, after which it counts as hanging
_GRACE = 30.0  # seconds between TERM and KILL; a sweep ends its commands first
_FOREIGN = ("PREFECT_", "MLFLOW_", "SWEEP_", "DASK_", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: seconds from start to end, and megabytes at its peak.

    `began` is when it was started, in seconds since the epoch.
    """

    began: float
    seconds: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Told:
    """What a runner printed, and the seconds its process took from start to end."""

    answer: dict[str, Any]
    seconds: float


def isolate(home: Path) -> None:
    """Take from this process's environment what would lead Prefect, MLflow or Dask elsewhere."""
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        del os.environ[name]
    home.mkdir(parents=True, exist_ok=True)
    os.environ["PREFECT_HOME"] = str(home)
    os.environ["PREFECT_PROFILES_PATH"] = str(home / "profiles.toml")
    os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    os.environ["NO_COLOR"] = "1"


def sweep(*arguments: str) -> list[str]:
    """Return the command `sweep`, as installed beside this interpreter."""
    return [str(Path(sys.executable).with_name("sweep")), *arguments]


def cost(command: Sequence[str], folder: Path) -> Cost:
    """Run a command in `folder` and return what it took; what it prints is thrown away."""
    timed = [sys.executable, "-I", "-S", str(ROOT / "benchmarks" / "timed.py")]
    told = json.loads(output([*timed, *command], folder))
    return Cost(told["began"], told["seconds"], told["peak"] / 1e6)


def output(command: Sequence[str], folder: Path, variables: dict[str, str] | None = None) -> str:
    """Run a command in `folder` and return what it printed.

    If it takes too long, or we are to end meanwhile, it is ended with all that it has started in its group.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
    except OSError as error:
        msg = f"failed: {error}"
        raise UnavailableError(msg) from error
    try:
        printed, complaints = process.communicate(timeout=_PATIENCE)
    except BaseException as error:
        _end_group(process)
        if isinstance(error, subprocess.TimeoutExpired):
            msg = f"failed: {error}"
            raise UnavailableError(msg) from error
        raise
    if process.returncode:
        last = (complaints.strip() or printed.strip() or "no message").splitlines()[-1]
        msg = f"failed: exit code {process.returncode}: {last}"
        raise UnavailableError(msg)
    return printed


def _end_group(process: subprocess.Popen[str]) -> None:
    """Ask a process group to end, wait, and kill what is left of it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        while time.monotonic() < deadline:
            process.poll()  # what has ended and is not taken note of counts as being there
            os.killpg(process.pid, 0)
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def runner(
    python: str, name: str, *arguments: str, folder: Path, variables: dict[str, str] | None = None
) -> Told:
    """Run the module `benchmarks.runners.NAME` in `folder`; the last line that it prints is its answer."""
    environment = {"PYTHONPATH": str(ROOT), **(variables or {})}
    began = time.perf_counter()
    printed = output([python, "-m", f"benchmarks.runners.{name}", *arguments], folder, environment)
    return Told(json.loads(printed.splitlines()[-1]), time.perf_counter() - began)
