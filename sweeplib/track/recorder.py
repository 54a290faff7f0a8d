"""What the worker process does in MLflow; the only module that imports it."""

from __future__ import annotations

import math
import posixpath
import re
import time
from typing import TYPE_CHECKING, TypeVar

from mlflow import MlflowClient
from mlflow.entities import Experiment, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from sweeplib.track.messages import (
    Answer,
    Attach,
    Begin,
    Close,
    Collect,
    Discard,
    Found,
    Open,
    Ping,
    Prepare,
    Record,
    Reply,
    Request,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Recorder", "is_final"]

_T = TypeVar("_T")
_PAGE = 1000
_NAME = 250  # characters
_VALUE = 5000  # characters that every store takes as the value of a tag or parameter
_INFINITE = 1.797e308  # from which on a metric was infinite; not all databases keep all digits
_STATUS = {
    "completed": "FINISHED",
    "failed": "FAILED",
    "timed out": "FAILED",
    "cancelled": "KILLED",
    "lost": "FAILED",
}
_FINAL = {
    "ALREADY_EXISTS",
    "BAD_REQUEST",
    "CUSTOMER_UNAUTHORIZED",
    "ENDPOINT_NOT_FOUND",
    "INVALID_PARAMETER_VALUE",
    "INVALID_STATE",
    "NOT_FOUND",
    "NOT_IMPLEMENTED",
    "PERMISSION_DENIED",
    "RESOURCE_ALREADY_EXISTS",
    "RESOURCE_DOES_NOT_EXIST",
    "UNAUTHENTICATED",
}


def is_final(error: Exception) -> bool:
    """Tell whether the store would answer the same request with the same error for ever."""
    return isinstance(error, MlflowException) and error.error_code in _FINAL


class Recorder:
    """Carries out requests in the store that ``MLFLOW_TRACKING_URI`` names."""

    def __init__(self) -> None:
        self._client = MlflowClient()
        self._client.search_experiments(max_results=1)  # a new database gets its tables now
        self._running: set[str] = set()

    def handle(self, request: Request) -> Reply:
        """Carry out one request; raises what MLflow raises."""
        match request:
            case Ping():
                self._client.search_experiments(max_results=1)
            case Prepare():
                return Reply(answer=Answer.DONE, text=self._experiment(request.job)[1])
            case Begin():
                return self._begin(request)
            case Open():
                return self._open(request)
            case Record():
                return self._record(request)
            case Collect():
                return self._collect(request)
            case Attach():
                self._client.log_artifact(request.run, request.path)
            case Discard():
                self._client.delete_run(request.run)
                self._running.discard(request.run)
            case Close():
                self._close(request)
        return Reply(answer=Answer.DONE)

    def abandon(self) -> None:
        """End every run that was opened and not ended: the process that ran the sweep has died."""
        for run in list(self._running):
            self._client.set_terminated(run, "KILLED")

    def _begin(self, request: Begin) -> Reply:
        experiment, note = self._experiment(request.job)
        # Only a sweep's own run has a total; its tags keep MLflow's names, ours and the user's.
        condition = f"tags.`sweep.id` = '{request.sweep}' AND tags.`sweep.total` != ''"
        run = next(self._search([experiment.experiment_id], condition), None)
        resumed = run is not None
        if run is None:
            run = self._create(experiment.experiment_id, request.name, request.tags, request.started)
        elif request.resume:
            self._client.update_run(run.info.run_id, status="RUNNING")
        if request.resume or not resumed:
            self._running.add(run.info.run_id)
        return Reply(
            answer=Answer.DONE,
            text=note,
            experiment=experiment.experiment_id,
            run=run.info.run_id,
            resumed=resumed,
        )

    def _experiment(self, job: str) -> tuple[Experiment, str]:
        """Return the job's experiment, and a note for the user where that had to be restored."""
        experiment = self._client.get_experiment_by_name(job)
        if experiment is None:
            try:
                return self._client.get_experiment(self._client.create_experiment(job)), ""
            except MlflowException as error:
                experiment = self._client.get_experiment_by_name(job)
                if error.error_code != "RESOURCE_ALREADY_EXISTS" or experiment is None:
                    raise
        if experiment.lifecycle_stage == "active":
            return experiment, ""
        self._client.restore_experiment(experiment.experiment_id)
        note = f"MLflow's experiment {job!r} had been deleted; it is restored for this sweep"
        return experiment, note

    def _open(self, request: Open) -> Reply:
        run = self._of_combination(request.experiment, request.tags) if request.search else None
        if run is None:
            run = self._create(request.experiment, request.name, request.tags, None)
        else:
            self._client.update_run(run.info.run_id, status="RUNNING")
        self._running.add(run.info.run_id)
        return Reply(answer=Answer.DONE, run=run.info.run_id)

    def _record(self, request: Record) -> Reply:
        run = self._existing(request.run) or self._of_combination(request.experiment, request.tags)
        if run is None:
            run = self._create(request.experiment, request.name, request.tags, request.started)
        name = run.info.run_id
        self._running.discard(name)
        metrics = {**_values(run), **request.metrics}
        if run.info.lifecycle_stage == "active":
            self._write(run, request)
            ended = _milliseconds(request.ended)
            self._client.set_terminated(name, _STATUS.get(request.outcome, "FAILED"), ended)
        return Reply(answer=Answer.DONE, run=name, metrics=metrics)

    def _write(self, run: Run, request: Record) -> None:
        tags = {"sweep.outcome": request.outcome}
        if request.run is None:
            # A run that the command opened by itself, untold: it becomes the combination's.
            tags |= {**request.tags, "mlflow.runName": request.name}
        if request.exit_code is not None:
            tags["sweep.exit_code"] = str(request.exit_code)
        if request.message:
            tags["sweep.message"] = request.message
        if request.started is not None and request.ended is not None:
            tags["sweep.seconds"] = f"{request.ended - request.started:.3f}"
        known = run.data.params
        parameters = {key: value for key, value in _named(request.parameters).items() if key not in known}
        # The time makes the same metrics, written again after a lost answer, the same entries.
        moment = _milliseconds(request.ended)
        metrics = [Metric(key, value, moment, 0) for key, value in _named(request.metrics).items()]
        self._client.log_batch(
            run.info.run_id,
            metrics=metrics,
            params=[Param(key, value[:_VALUE]) for key, value in parameters.items()],
            tags=[RunTag(key, value[:_VALUE]) for key, value in _named(tags).items()],
        )

    def _close(self, request: Close) -> None:
        condition = f"tags.`sweep.id` = '{request.sweep}' AND attributes.status = 'RUNNING'"
        left = {run.info.run_id for run in self._search([request.experiment], condition)} - {request.run}
        for name in left:
            self._client.set_terminated(name, "KILLED")
            self._running.discard(name)
        if not request.only_running or self._client.get_run(request.run).info.status == "RUNNING":
            self._client.set_terminated(request.run, request.status, _milliseconds(request.ended))
        self._running.discard(request.run)

    def _collect(self, request: Collect) -> Reply:
        condition = f"tags.`sweep.id` = '{request.sweep}'"
        if request.since is not None:
            condition += f" AND attributes.start_time >= {_milliseconds(request.since)}"
        runs = self._search(self._experiments(), condition)
        found = [
            Found(key=key, run=run.info.run_id, metrics=_values(run))
            for run in runs
            if (key := run.data.tags.get("sweep.key"))
        ]
        return Reply(answer=Answer.DONE, found=tuple(found))

    def _experiments(self) -> list[str]:
        found: list[str] = []
        token = None
        while True:
            page = self._client.search_experiments(max_results=_PAGE, page_token=token)
            found += [each.experiment_id for each in page]
            token = page.token
            if not token:
                return found

    def _existing(self, run: str | None) -> Run | None:
        try:
            return self._client.get_run(run) if run else None
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None

    def _of_combination(self, experiment: str, tags: Mapping[str, str]) -> Run | None:
        wanted = [f"tags.`{name}` = '{tags[name]}'" for name in ("sweep.id", "sweep.key")]
        return next(self._search([experiment], " AND ".join(wanted)), None)

    def _search(self, experiments: list[str], condition: str) -> Iterator[Run]:
        token = None
        while True:
            page = self._client.search_runs(
                experiments, condition, max_results=_PAGE, order_by=["start_time ASC"], page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return

    def _create(self, experiment: str, name: str, tags: Mapping[str, str], started: float | None) -> Run:
        values = {key: value[:_VALUE] for key, value in _named(tags).items()}
        return self._client.create_run(experiment, _milliseconds(started), values, name[:_VALUE] or None)


def _milliseconds(seconds: float | None) -> int:
    return int((time.time() if seconds is None else seconds) * 1000)


def _values(run: Run) -> dict[str, float]:
    return {key: _value(float(value)) for key, value in run.data.metrics.items()}


def _value(stored: float) -> float:
    """Return what was logged: MLflow's databases hold the largest float where that was infinite."""
    return math.copysign(math.inf, stored) if abs(stored) >= _INFINITE else stored


def _named(values: Mapping[str, _T]) -> dict[str, _T]:
    """Return the values under names that MLflow takes."""
    return {_name(name): value for name, value in values.items()}


def _name(text: str) -> str:
    name = re.sub(r"[^\w.\- :/]", "_", text)[:_NAME]
    if not name or name.startswith(("/", "..")) or posixpath.normpath(name) != name or name == ".":
        name = re.sub(r"[/.]", "_", name) or "_"  # MLflow wants what could be a path, and its only spelling
    return name
