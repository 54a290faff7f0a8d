"""Where MLflow keeps what a project records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeplib.track import tracking_uri

if TYPE_CHECKING:
    from pathlib import Path


def test_the_default_is_the_database_that_mlflow_takes_in_the_projects_folder(kit, folder: Path) -> None:
    assert tracking_uri(folder) == f"sqlite:///{folder}/mlflow.db"


def test_a_file_store_with_data_is_gone_on_with_where_mlflow_still_permits_it(
    kit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mlruns" / "0").mkdir(parents=True)
    (folder / "mlruns" / "0" / "meta.yaml").touch()
    assert tracking_uri(folder) == f"sqlite:///{folder}/mlflow.db"
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    assert tracking_uri(folder) == (folder / "mlruns").as_uri()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://tracking:5000", "http://tracking:5000"),
        ("databricks", "databricks"),
        ("postgresql://user@host/mlflow", "postgresql://user@host/mlflow"),
        ("sqlite:////var/mlflow.db", "sqlite:////var/mlflow.db"),
        ("sqlite:///runs/mlflow.db", "sqlite:///{folder}/runs/mlflow.db"),
        ("./mlruns", "file://{quoted}/mlruns"),
    ],
)
def test_the_users_setting_is_respected_and_means_the_same_in_every_folder(
    kit, folder: Path, monkeypatch: pytest.MonkeyPatch, given: str, expected: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    quoted = folder.as_uri().removeprefix("file://")
    assert tracking_uri(folder) == expected.format(folder=folder, quoted=quoted)
