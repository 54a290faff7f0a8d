"""Where MLflow keeps what a project's sweeps record."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["LOG", "tracking_uri"]

LOG = Path(".sweep", "mlflow.log")
"""Where MLflow's own messages go, seen from the project's folder."""

_FILES = "mlruns"
_SQLITE = "sqlite:///"


def tracking_uri(project: Path) -> str:
    """Return the address of the project's MLflow store, the same from any working folder.

    ``MLFLOW_TRACKING_URI`` if that is set, with a relative path taken from the project's folder. Else
    what MLflow itself takes when it is used in that folder with no setting (its UI too): ``mlflow.db``
    there, or a file store in ``mlruns`` where that has data and ``MLFLOW_ALLOW_FILE_STORE`` still permits
    one. Artifacts are MLflow's default as well, ``mlruns`` in the project's folder.
    """
    project = Path(os.path.abspath(project))  # noqa: PTH100  (links stay: they are the user's name for it)
    given = os.environ.get("MLFLOW_TRACKING_URI")
    if given:
        return _absolute(given, project)
    allowed = os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in {"true", "1"}
    if allowed and any(project.glob(f"{_FILES}/*/meta.yaml")):
        return (project / _FILES).as_uri()
    return f"{_SQLITE}{project / 'mlflow.db'}"


def _absolute(uri: str, project: Path) -> str:
    if uri.startswith(_SQLITE):
        path = uri.removeprefix(_SQLITE)
        return uri if path in {"", ":memory:"} else f"{_SQLITE}{project / path}"
    bare_path = ":" not in uri and uri not in {"databricks", "databricks-uc", "uc"}
    return (project / uri).as_uri() if bare_path else uri
