"""What a script has of a sweep: its parameters, and a way to log metrics."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import sweeplib
from sweeplib.script import PARAMETERS

if TYPE_CHECKING:
    from pathlib import Path


def test_outside_a_sweep_there_are_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PARAMETERS, raising=False)
    assert sweeplib.params() == {}
    assert sweeplib.param("lr", default=0.1) == 0.1
    assert sweeplib.param("lr", None) is None
    with pytest.raises(LookupError) as caught:
        sweeplib.param("lr")
    assert caught.value.args == ("no parameter 'lr' outside a sweep; give a default: param('lr', default=…)",)


def test_in_a_sweep_they_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"lr": 0.001, "n": 3, "on": True, "x": [1, "b"], "deep": {"a": None}}
    monkeypatch.setenv(PARAMETERS, json.dumps(given))
    assert sweeplib.params() == given
    assert sweeplib.param("n", default=5) == 3
    with pytest.raises(LookupError, match=r"^no parameter 'deap'; did you mean 'deep'\?; give a default"):
        sweeplib.param("deap")


def test_metrics_of_nobody_are_not_logged(tmp_path: Path) -> None:
    """And MLflow is not imported for it, which takes seconds."""
    code = "import sweeplib, sys; sweeplib.log_metrics({'a': 1}); sys.exit('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_metrics_go_to_an_active_run(tmp_path: Path) -> None:
    code = """
import mlflow, sweeplib
mlflow.set_tracking_uri("sqlite:///own.db")
sweeplib.log_metrics({"ignored": 1})
assert mlflow.active_run() is None
with mlflow.start_run() as run:
    sweeplib.log_metrics({"loss": 0.5}, step=3)
(found,) = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
assert (found.value, found.step) == (0.5, 3)
assert "ignored" not in mlflow.get_run(run.info.run_id).data.metrics
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
