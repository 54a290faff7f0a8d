"""The heir of a deployed run: a small process that closes its sweep if the flow's process is killed.

Where a worker is ended (SIGTERM), it kills its flows without a word, and nobody in the project need ever run
anything again that would find that out. `appointed` starts the heir; ``python -m sweeplib.orchestrate.heir``
is it. It imports next to nothing until it has something to do.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["appointed", "main"]

_WORKER = 10.0  # seconds in which a worker that has killed its flows ends itself
_WAIT = 5.0  # seconds for the heir to end when there is nothing to inherit
_DONE = b"done"
_CANCELLED = "the worker that ran the sweep was ended"


@contextmanager
def appointed(project: Path, sweep: str) -> Iterator[None]:
    """Have an heir for `sweep` of the job file's folder `project` while the block runs.

    An exception that leaves the block is no death: what there is to record, this process has recorded.
    """
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "sweeplib.orchestrate.heir", str(project), sweep, str(os.getppid())],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:  # no process more: then the next run in this folder closes the sweep
        os.close(writing)
        yield
        return
    finally:
        os.close(reading)
    try:
        yield
    finally:
        with suppress(OSError):
            os.write(writing, _DONE)
        os.close(writing)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_WAIT)


def main(argv: Sequence[str]) -> None:
    """Wait for the end of the process at the other end of standard input, and close its sweep if need be.

    `argv` is the project's folder, the sweep's id, and the number of the worker's process.
    """
    project, sweep, worker = Path(argv[0]), argv[1], _open(int(argv[2]))
    if os.read(0, len(_DONE)) == _DONE:
        return
    cancelled = _CANCELLED if worker is None or _has_ended(worker) else ""
    _close(project, sweep, cancelled)


def _open(pid: int) -> int | None:
    """Return a handle of a process; None if it has ended."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _has_ended(process: int) -> bool:
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(_WORKER * 1000))


def _close(project: Path, sweep_id: str, cancelled: str) -> None:
    from sweeplib.engine import recover_sweep
    from sweeplib.ledger import Ledger, SweepState

    with Ledger.open(project / ".sweep" / "ledger.db") as ledger:
        sweep = ledger.get_sweep(sweep_id)
        if sweep.state is SweepState.RUNNING and recover_sweep(ledger, project, sweep, cancelled=cancelled):
            from sweeplib.orchestrate.late import report_late

            report_late(ledger, project)


if __name__ == "__main__":
    main(sys.argv[1:])
