"""Which index packages come from: that of uv's own settings, or else of pip's, which uv does not read."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["index_of_pip"]

_OWN = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE")
_TOLD = re.compile(r"^(install|global)\.index-url='(.+)'$", re.MULTILINE)
_FALSE = ("", "0", "false", "f", "no", "n", "off")


def index_of_pip(program: str, cwd: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variable that has uv use the index of pip's settings; nothing where uv's name one.

    `program` is the interpreter whose pip it is, `env` the environment in which uv runs in the folder `cwd`.
    """
    if any(name in env for name in _OWN) or any(map(_has_index, _settings(cwd, env))):
        return {}
    if found := env.get("PIP_INDEX_URL"):
        return {"UV_DEFAULT_INDEX": found}
    ask = [program, "-m", "pip", "config", "list"]  # of all of its files; `get` reads one of them
    try:
        done = subprocess.run(ask, capture_output=True, text=True, check=True, env=env, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return {}
    told: dict[str, str] = dict(_TOLD.findall(done.stdout))
    found = told.get("install", told.get("global"))
    return {"UV_DEFAULT_INDEX": found} if found else {}


def _settings(cwd: str, env: Mapping[str, str]) -> Iterator[object]:
    """Yield what the files say in which uv looks for settings: the project's, the user's, the system's.

    uv reads the nearest one of the folder and those above, in a workspace its root's; here it is any.
    """
    if env.get("UV_NO_CONFIG", "").lower() not in _FALSE:
        return
    for folder in (Path(cwd), *Path(cwd).parents):
        yield _read(folder / "uv.toml")
        yield _table(_table(_read(folder / "pyproject.toml"), "tool"), "uv")
    home = env.get("XDG_CONFIG_HOME") or str(Path(env.get("HOME", "/"), ".config"))
    system = (env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    for folder in map(Path, [home, *filter(None, system), "/etc"]):
        yield _read(folder / "uv" / "uv.toml")


def _read(path: Path) -> object:
    """Return what a file says; uv itself complains of one that cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _has_index(settings: object) -> bool:
    """Tell whether settings say which index takes the place of the default one, or that there is none."""
    listed = _table(settings, "index")
    return (
        any(_table(settings, name) for name in ("index-url", "no-index"))
        or (isinstance(listed, list) and any(_table(each, "default") for each in listed))
        or (bool(pip := _table(settings, "pip")) and _has_index(pip))
    )


def _table(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None
