"""What the control groups of this process leave to it: how containers and schedulers share a machine out.

Both versions of control groups are read, as the kernel's documents "Control Group v2", "CFS Bandwidth
Control" and "Memory Resource Controller" have them. A limit of any group above counts as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Limits", "limits"]

_BOTH = ("cpu", "memory")
_CPU = (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us"))  # a quota and its period, in microseconds
_MEMORY = ("memory.max", "memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class Limits:
    """Processors, as a share of their time, and bytes of memory; None: as many as the machine has."""

    cpu: float | None = None
    memory: int | None = None


@cache
def limits(root: Path = Path("/")) -> Limits:
    """Return the limits there were when this was first asked; `root` is where ``proc`` and ``sys`` are."""
    cpu: list[float] = []
    memory: list[int] = []
    for controllers, folder in _folders(root):
        if "cpu" in controllers:
            cpu += _quota(folder)
        if "memory" in controllers:
            memory += [each for name in _MEMORY for each in _numbers(folder / name)[:1]]
    return Limits(min(cpu, default=None), min(memory, default=None))


def _folders(root: Path) -> Iterator[tuple[Sequence[str], Path]]:
    """Yield the folders of this process's groups, up to the uppermost that is seen, and what they limit."""
    mounted = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, named, path = line.split(":", 2)
        controllers = named.split(",") if named else _BOTH
        for mount in {mounted / each for each in (named, *(controllers if named else ()))}:
            # A container may see its own group as the uppermost, under a path that it does not see.
            here = mount / path.lstrip("/")
            yield from ((controllers, each) for each in (here, *here.parents) if each.is_relative_to(mount))


def _quota(folder: Path) -> list[float]:
    """Return how many processors' time there is in a period, if that is limited."""
    for names in _CPU:
        match [number for name in names for number in _numbers(folder / name)]:
            case [quota, period] if quota and period:
                return [quota / period]
    return []


def _numbers(path: Path) -> list[int]:
    """Return the numbers in a file, without the word ``max``, and -1, which say that there is no limit."""
    return [int(word) for word in _text(path).split() if word.isdigit()]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
