"""A new project's Prefect database: a copy of an empty one, which takes Prefect six seconds to make.

The first server of a user on a machine makes it, and keeps it in the user's cache folder.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cached", "lay"]


def cached(name: str) -> Path | None:
    """Return the path of a file in sweeplib's part of the user's cache folder; None for a user without one.

    The folder is that of the XDG base directory specification.
    """
    try:
        folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # no home
        return None
    return Path(folder) / "sweeplib" / name


def lay(database: Path, template: Path | None, make: Callable[[], object]) -> None:
    """Make `database`, where there is none, from `template`, or else by `make`, and the template from it.

    A template that cannot be used or written costs time and nothing else.
    """
    if database.exists():
        return
    if template is not None and template.exists():
        with suppress(OSError, sqlite3.Error):
            _copy(template, database, "immutable=1")
            return
    make()
    if template is not None:
        with suppress(OSError, sqlite3.Error):
            template.parent.mkdir(parents=True, exist_ok=True)
            _copy(database, template, "mode=ro")


def _copy(source: Path, target: Path, access: str) -> None:
    """Copy a database, the whole in one file or nothing; raises OSError or sqlite3.Error."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?{access}", uri=True)) as old,
            closing(sqlite3.connect(part)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
