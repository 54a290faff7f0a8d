"""What the end of a command means: the line that says why it failed, the numbers that it left.

Loaded by the guard process: imports must stay few.
"""

from __future__ import annotations

import json
import signal

from sweeplib.run.files import open_left
from sweeplib.run.tail import last_lines

__all__ = ["failure", "file_problem", "metrics", "size"]

_CAUSES = {"SIGKILL": "out of memory, or someone's kill -9", "SIGABRT": "aborted"}
_LONGEST = 200  # characters of output in a message
_MOST = 16_000_000  # bytes of a result file


def size(count: float) -> str:
    """Return a number of bytes for a person: ``1.5 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def file_problem(what: str, error: OSError) -> str:
    """Say in one line what could not be done with a file, and why."""
    name = f" {error.filename}" if error.filename else ""
    return f"{what}{name}: {(error.strerror or str(error)).lower()}"


def failure(exit_code: int, log: str) -> str:
    """Say in one line how a command failed."""
    if exit_code < 0:
        try:
            name = signal.Signals(-exit_code).name
        except ValueError:
            return f"killed by signal {-exit_code}"
        return f"killed by {name} ({_CAUSES.get(name, (signal.strsignal(-exit_code) or '').lower())})"
    last = "".join(last_lines(log, 1))
    if not last:
        return f"exit code {exit_code}, without any output"
    return f"exit code {exit_code}: {last if len(last) <= _LONGEST else last[: _LONGEST - 1] + '…'}"


def metrics(path: str) -> tuple[dict[str, float] | None, str]:
    """Return the numbers that the command left in its result file, and what is wrong with it."""
    try:
        with open_left(path) as file:
            text = file.read(_MOST + 1)
        if len(text) > _MOST:
            return None, f"its result file cannot be read: it has more than {size(_MOST)}"
        data = json.loads(text.decode())
        if isinstance(data, dict) and all(isinstance(value, int | float) for value in data.values()):
            return {name: float(value) for name, value in data.items()}, ""
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        return None, f"its result file cannot be read: {error}"
    return None, "its result file is not a mapping of names to numbers"
