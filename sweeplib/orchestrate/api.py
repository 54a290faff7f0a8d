"""Which Prefect API a run uses: the configured one as it is, else the project's own server.

What is configured is found without importing Prefect, which takes seconds: the server can start, and
``PREFECT_API_URL`` be set, while nothing has been imported yet. The order is Prefect's own (environment,
``.env``, ``prefect.toml``, ``pyproject.toml``, active profile).
"""

from __future__ import annotations

import os
import re
import ssl
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeplib.errors import InputError
from sweeplib.orchestrate.server import prefect_server

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Api", "configured_api", "connect", "reachable"]

_VARIABLE = "PREFECT_API_URL"
_PROBE = 5.0  # seconds
_URL = ("api", "url")
_ASSIGNMENT = re.compile(
    r"""\s*(?:export\s+)?([^=\s#]+)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^'"\s].*?)?)(?:\s+\#.*)?\s*"""
)
"""A line of ``.env``: name, and value in single, double or no quotes."""


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
        if _answers(f"{configured.rstrip('/')}/health"):
            os.environ[_VARIABLE] = configured
            return Api(configured, local=False)
        note(f"the Prefect API at {configured} does not answer: using a local server for this project")
    url = f"{prefect_server(project).start(note)}/api"
    os.environ[_VARIABLE] = url
    return Api(url, local=True)


def reachable(project: Path) -> str | None:
    """Return the API that is configured, or else the project's own, if it answers; starts nothing."""
    url = configured_api(project) or prefect_server(project).api()
    return url if url is not None and _answers(f"{url.rstrip('/')}/health") else None


def _answers(url: str) -> bool:
    """Tell whether a server is there, even one that wants a login or has a certificate of its own.

    Prefect has settings for those. Proxies are asked, as Prefect's client does.
    """
    try:
        with urllib.request.urlopen(url, timeout=_PROBE):  # noqa: S310 - the user's own setting
            return True
    except urllib.error.HTTPError as error:
        return error.code < HTTPStatus.INTERNAL_SERVER_ERROR
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)
    except (OSError, ValueError):
        return False


def configured_api(folder: Path) -> str | None:
    """Return the API address that Prefect's settings name, None if they name none.

    An empty text counts: it hides what the sources after it say. Raises `InputError` for a settings file
    that is not TOML, with which Prefect cannot be imported.
    """
    for source in (_environment, _dotenv, _prefect_toml, _pyproject, _profile):
        url = source(folder)
        if url is not None:
            return url or None
    return None


def _environment(_: Path) -> str | None:
    small = (value for name, value in os.environ.items() if name.upper() == _VARIABLE)
    return os.environ.get(_VARIABLE, next(small, None))


def _dotenv(folder: Path, name: str = _VARIABLE) -> str | None:
    try:
        lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    assigned = [
        found for line in lines if (found := _ASSIGNMENT.fullmatch(line)) and found[1].upper() == name
    ]
    values = assigned[-1].groups()[1:] if assigned else ()
    return next((value for value in values if value is not None), "" if assigned else None)


def _prefect_toml(folder: Path, *keys: str) -> str | None:
    return _text(_settings(folder / "prefect.toml"), *(keys or _URL))


def _pyproject(folder: Path, *keys: str) -> str | None:
    return _text(_settings(folder / "pyproject.toml"), "tool", "prefect", *(keys or _URL))


def _profile(folder: Path) -> str | None:
    try:
        document = _toml(folder / _profiles_path(folder))
    except tomllib.TOMLDecodeError:  # Prefect goes on with a warning
        return None
    name = os.environ.get("PREFECT_PROFILE") or document.get("active")
    return _text(document, "profiles", name, _VARIABLE) if isinstance(name, str) else None


def _profiles_path(folder: Path) -> str | Path:
    return (
        os.environ.get("PREFECT_PROFILES_PATH")
        or _dotenv(folder, "PREFECT_PROFILES_PATH")
        or _prefect_toml(folder, "profiles_path")
        or _pyproject(folder, "profiles_path")
        or Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect") / "profiles.toml"
    )


def _settings(path: Path) -> dict[str, Any]:
    try:
        return _toml(path)
    except tomllib.TOMLDecodeError as error:
        msg = f"{path} is not valid TOML, and Prefect reads its settings from it: {error}"
        raise InputError(msg) from error


def _toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError:
        return {}


def _text(document: dict[str, Any], *keys: str) -> str | None:
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None
