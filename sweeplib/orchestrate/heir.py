"""The heir of a deployed run: a small process that closes its sweep if the flow's process is killed.

Where a worker is ended (SIGTERM), it kills its flows without a word, and nobody in the project need ever run
anything again that would find that out. And where a worker cancels a flow run, it writes over the message
with the counts. `appointed` starts the heir; ``python -m sweeplib.orchestrate.heir`` is it. It imports next
to nothing until it has something to do.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Heir", "appointed", "main"]

_WORKER = 10.0  # seconds in which a worker that has killed its flows ends itself
_WAIT = 5.0  # seconds for the heir to end when there is nothing to inherit
_OVERWRITTEN = 45.0  # seconds in which a worker that cancels a flow run does so; it gives it thirty to end
_LOOK = 0.5  # seconds between looks at the flow run
_DONE = b"done"
_CANCELLED = "the worker that ran the sweep was ended"


class Heir:
    """What a flow's process tells its heir when it ends."""

    def __init__(self) -> None:
        self.word = ""
        """The message of the flow run's last state, to be kept though its worker writes another over it."""


@contextmanager
def appointed(project: Path, sweep: str, flow_run: str) -> Iterator[Heir]:
    """Have an heir for `sweep` of the job file's folder `project` while the block runs.

    An exception that leaves the block is no death: what there is to record, this process has recorded.
    """
    heir = Heir()
    reading, writing = os.pipe()
    arguments = [str(project), sweep, flow_run, str(os.getppid())]
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "sweeplib.orchestrate.heir", *arguments],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:  # no process more: then the next run in this folder closes the sweep
        os.close(writing)
        yield heir
        return
    finally:
        os.close(reading)
    try:
        yield heir
    finally:
        with suppress(OSError):
            os.write(writing, _DONE + heir.word.encode())
        os.close(writing)
        if not heir.word:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_WAIT)


def main(argv: Sequence[str]) -> None:
    """Wait for the end of the process at the other end of standard input, and close its sweep if need be.

    `argv` is the project's folder, the sweep's id, the flow run's, and the number of the worker's process.
    """
    project, sweep, flow_run, worker = Path(argv[0]), argv[1], argv[2], _open(int(argv[3]))
    told = sys.stdin.buffer.read()
    if not told.startswith(_DONE):
        _close(project, sweep, _CANCELLED if worker is None or _has_ended(worker) else "")
    elif word := told.removeprefix(_DONE).decode():
        _keep(flow_run, word)


def _keep(flow_run: str, word: str) -> None:
    """Say the last word on a cancelled flow run, when its worker has said that it was cancelled."""
    from uuid import UUID

    from prefect.client.orchestration import get_client
    from prefect.states import Cancelled

    deadline = time.monotonic() + _OVERWRITTEN
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            state = client.read_flow_run(UUID(flow_run)).state
            if state is not None and state.is_cancelled() and state.message != word:
                client.set_flow_run_state(UUID(flow_run), Cancelled(message=word), force=True)
                return
            time.sleep(_LOOK)  # the API tells nobody


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
