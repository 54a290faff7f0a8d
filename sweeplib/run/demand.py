"""What a command demands of the machine that it is to run on, and whether that has it at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sweeplib.run import machine
from sweeplib.run.verdict import size

if TYPE_CHECKING:
    from sweeplib.run.model import Work

__all__ = ["devices_of", "excess", "shortage", "want"]


def devices_of(work: Work) -> tuple[str, ...]:
    """Return the GPUs that a command may use here."""
    env = {**os.environ, **work.env}
    return machine.devices({name: value for name, value in env.items() if value is not None})


def shortage(work: Work) -> str:
    """Return what this machine does not have enough of for the command, ever; nothing if it has."""
    needed, asked = work.amounts.memory, work.amounts.gpu
    if needed is not None and needed > (there := machine.memory()):
        return f"needs {size(needed)} of memory (resources), and this machine has {size(there)}"
    if asked is not None and asked > (count := len(devices_of(work))):
        what = "a GPU" if asked <= 1 else f"{asked:g} GPUs"
        hint = "; CUDA_VISIBLE_DEVICES names those to use" if not count else ""
        return f"needs {what} (resources), and this machine has {count or 'none'}{hint}"
    return ""


def want(work: Work) -> str:
    """Return what a command says that waits for devices which others have leased."""
    asked, count = work.amounts.gpu or 0.0, len(devices_of(work))
    what = "a GPU" if asked == 1 else f"{asked:g} GPUs" if asked > 1 else f"{asked:g} of a GPU"
    there = f"too many of the {count}" if count > 1 else "the only one"
    return f"waiting for {what}: other commands on this machine have leased {there}"


def excess(work: Work) -> str:
    """Return a word on a command that wants more processors than there are, and runs slower; or nothing."""
    asked, there = work.amounts.cpu, machine.processors()
    if asked is None or asked <= there:
        return ""
    return (
        f"commands ask for {asked:g} processors (resources), and this machine has {there}: such a command "
        "has all of them"
    )
