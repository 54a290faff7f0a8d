"""What this machine has for commands: processors, memory, devices."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING

from sweeplib.run.control_group import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["device_folder", "devices", "memory", "processors"]

_VISIBLE = "CUDA_VISIBLE_DEVICES"


def processors() -> int:
    """Return how many processors this process may use: where it may use a part of one, that one too."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = limits().cpu
    return there if quota is None else max(1, min(there, math.ceil(quota)))


def memory() -> int:
    """Return the bytes of memory that there are: the machine's, or those that a control group leaves."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = limits().memory
    return there if limit is None else min(there, limit)


def devices(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the GPUs that a command with this environment may use, as ``CUDA_VISIBLE_DEVICES`` names them.

    Each once, up to the first that is none, as CUDA does: ``-1`` ends the list. Where the variable is not
    set, those that nvidia-smi tells of.
    """
    named = env.get(_VISIBLE)
    if named is None:
        return _told()
    found = (each.strip() for each in named.split(","))
    return tuple(dict.fromkeys(takewhile(_is_device, found)))


def _is_device(name: str) -> bool:
    return name not in ("", "-1")


@cache
def _told() -> tuple[str, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    query = [program, "--query-gpu=index", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in done.stdout.splitlines() if line.strip())


def device_folder() -> str:
    """Return the folder of this user's leases on this machine (see `sweeplib.run.leases`)."""
    return f"/tmp/sweeplib-{os.getuid()}/devices"  # noqa: S108  (each user's own, and the same for all sweeps)
