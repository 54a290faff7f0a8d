"""Running a plan from this process: the server, the flow, and what came of it."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.engine import load_modules
from sweeplib.errors import ServerError
from sweeplib.orchestrate.api import connect
from sweeplib.ulids import ulid
from sweeplib.where import HERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sweeplib.engine import Observer, Rerun
    from sweeplib.orchestrate.api import Api
    from sweeplib.orchestrate.launch import Launch
    from sweeplib.plan import Plan

__all__ = ["Start", "restored", "settings"]

_SWITCH = 0.0005  # seconds; work passes from thread to thread, and each waits this long for a busy one
_SETTINGS = {
    # the terminal is ours: a line a task run is no progress, and Prefect has it all in its own log
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_HANDLERS_DEBUG_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",  # Prefect's client: it calls nobody, and prints no notice about that
    # one request a worker thread less, and nothing that fails while a server is away
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
    # a server that has gone for good holds up the end of a run by seconds, not by minutes
    "PREFECT_CLIENT_MAX_RETRIES": "2",
    # and one that does not answer, likewise; it is told later what it missed
    "PREFECT_API_REQUEST_TIMEOUT": "20",
}
"""Prefect's settings for a run from a process of the user's, where the user has not set them."""


def settings() -> dict[str, str]:
    """Return those of our settings for Prefect that the user has not made otherwise."""
    return {name: value for name, value in _SETTINGS.items() if name not in os.environ}


@dataclass
class Start:
    """The start of a plan's flow in this process.

    `fresh` runs everything, without `retry` what failed before is left as it is, `rerun` says what of the
    done is run again. `parallel` and `cluster` override the job's. `note` is told what the user should know
    before there is a sweep; `observed` makes what observes it. `sweep` is the id that the sweep is to have
    (None: a new one). `launch` and `api` are there as soon as they are known, also where `run` is
    interrupted.
    """

    project: Path
    plan: Plan
    note: Callable[[str], None]
    observed: Callable[[], AbstractContextManager[Observer]]
    fresh: bool
    retry: bool = True
    rerun: Rerun | None = None
    parallel: int | None = None
    cluster: str | None = None
    sweep: str | None = None
    launch: Launch | None = None
    api: Api | None = None

    def run(self) -> None:
        """Run the flow; raises KeyboardInterrupt only where no sweep began, and what kept it from beginning.

        Changes this process's environment: Prefect takes its settings from there when it is imported.
        """
        from sweeplib.track import start_ahead, tracking_uri

        job = self.plan.job
        ours = settings()
        os.environ.update(ours)
        sys.setswitchinterval(_SWITCH)
        logging.raiseExceptions = False  # Prefect writes to our terminal what it could not log to its API
        if job.tracking:
            start_ahead(self.project)  # MLflow is imported while Prefect is
        try:
            self.api = connect(self.project, self.note)
            identity = self.sweep = self.sweep or ulid()
            if self._begins_here():
                uri = {"MLFLOW_TRACKING_URI": tracking_uri(self.project)} if job.tracking else {}
                load_modules(self.plan, self.project, identity, frozenset(ours), uri)
            try:
                self._run(self.api, frozenset(ours))
            except ServerError as error:  # between two looks at it
                self.note(str(error))
                self.api = connect(self.project, self.note)
                self._run(self.api, frozenset(ours))
        except KeyboardInterrupt:
            if self.launch is None or self.launch.summary is None:
                raise
            self.launch.interrupted = True

    def _begins_here(self) -> bool:
        """Tell whether the first command runs on this machine."""
        where = self.plan.needs(self.plan[0]).where if len(self.plan) else None
        return where == HERE or (where is None and not self.cluster and self.plan.job.cluster is None)

    def _run(self, api: Api, hidden: frozenset[str]) -> None:
        from sweeplib.orchestrate.direct import at, run_directly
        from sweeplib.orchestrate.launch import Launch

        with self.observed() as observer, at(api.url), self._server_kept(api, observer):
            self.launch = Launch(
                observer=observer, isolated=False, hidden=hidden, sweep=self.sweep, retry=self.retry
            )
            self.sweep = None  # another one is another sweep
            run_directly(
                self.project,
                self.plan,
                self.launch,
                fresh=self.fresh,
                rerun=self.rerun,
                parallel=self.parallel,
                cluster=self.cluster,
            )

    def _server_kept(self, api: Api, observer: Observer) -> AbstractContextManager[None]:
        """Keep the project's own server alive; somebody else's is not ours to start."""
        from sweeplib.orchestrate.keeper import kept_alive
        from sweeplib.orchestrate.server import prefect_server

        return kept_alive(prefect_server(self.project), observer.note) if api.local else nullcontext()


@contextmanager
def restored() -> Iterator[None]:
    """Give this process's environment, folder and settings back as they were."""
    env, folder, switch = dict(os.environ), Path.cwd(), sys.getswitchinterval()
    raises = logging.raiseExceptions
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(env)
        os.chdir(folder)
        sys.setswitchinterval(switch)
        logging.raiseExceptions = raises
