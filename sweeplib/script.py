"""For a script that a sweep runs: its parameters. Outside a sweep it gets defaults, and so runs by itself."""

from __future__ import annotations

import json
import os
from typing import Any

from sweeplib.errors import nearest

__all__ = ["PARAMETERS", "param", "params"]

PARAMETERS = "SWEEP_PARAMETERS"
"""The environment variable with a command's parameters, as a JSON object."""


class _Missing:
    """Stands for no default."""


_MISSING = _Missing()


def params() -> dict[str, Any]:
    """Return the parameters of the combination that this process runs, by name; none outside a sweep.

    Values have the types that they look like: ``lr=1e-3`` is a float, ``on=true`` a bool, ``[1, a]`` a list,
    as for the keyword arguments of a called function (`sweeplib.syntax.typed`).
    """
    found: dict[str, Any] = json.loads(os.environ.get(PARAMETERS) or "{}")
    return found


def param(name: str, default: Any = _MISSING) -> Any:
    """Return one parameter, or `default` where there is none of that name.

    Raises `LookupError` where there is no default either.
    """
    found = params()
    if name in found:
        return found[name]
    if isinstance(default, _Missing):
        where = f"{name!r}" if PARAMETERS in os.environ else f"{name!r} outside a sweep"
        remedy = f"give a default: param({name!r}, default=…)"
        raise LookupError(f"no parameter {where}{nearest(name, found)}; {remedy}")
    return default
