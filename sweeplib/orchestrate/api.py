"""Which Prefect API a run uses: the configured one as it is, else the project's own server.

What is configured is found without importing Prefect, which takes seconds: the server can start, and
``PREFECT_API_URL`` be set, while nothing has been imported yet. The order is Prefect's own (environment,
``.env``, ``prefect.toml``, ``pyproject.toml``, active profile).
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeplib.orchestrate.server import is_alive, prefect_server

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Api", "configured_api", "connect"]

_VARIABLE = "PREFECT_API_URL"


@dataclass(frozen=True, slots=True)
class Api:
    """A Prefect API: its address, and whether it is the project's own server."""

    url: str
    local: bool

    @property
    def ui(self) -> str:
        """The address of the UI, on a server that serves it beside the API."""
        return self.url.removesuffix("/").removesuffix("/api")


def connect(project: Path, note: Callable[[str], None] = lambda _: None) -> Api:
    """Return the API to use, starting the project's server where none is configured or reachable.

    Sets ``PREFECT_API_URL`` for this process and its children, so it has to come before `import prefect`.
    """
    configured = configured_api(project)
    if configured:
        if is_alive(f"{configured.rstrip('/')}/health"):
            os.environ[_VARIABLE] = configured
            return Api(configured, local=False)
        note(f"the Prefect API at {configured} does not answer: using a local server for this project")
    url = f"{prefect_server(project).start(note)}/api"
    os.environ[_VARIABLE] = url
    return Api(url, local=True)


def configured_api(folder: Path) -> str | None:
    """Return the API address that Prefect's settings name, None if they name none."""
    for source in (_environment, _dotenv, _prefect_toml, _pyproject, _profile):
        if url := source(folder):
            return url
    return None


def _environment(_: Path) -> str | None:
    return os.environ.get(_VARIABLE)


def _dotenv(folder: Path) -> str | None:
    try:
        lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        name, _, value = line.partition("=")
        if name.strip().removeprefix("export ").strip().upper() == _VARIABLE:
            return value.strip().strip("'\"")
    return None


def _prefect_toml(folder: Path) -> str | None:
    return _text(_toml(folder / "prefect.toml"), "api", "url")


def _pyproject(folder: Path) -> str | None:
    return _text(_toml(folder / "pyproject.toml"), "tool", "prefect", "api", "url")


def _profile(_: Path) -> str | None:
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect").expanduser()
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()
    document = _toml(path)
    name = os.environ.get("PREFECT_PROFILE") or document.get("active")
    return _text(document, "profiles", name, _VARIABLE) if isinstance(name, str) else None


def _toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError):
        return {}


def _text(document: dict[str, Any], *keys: str) -> str | None:
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) and found else None
