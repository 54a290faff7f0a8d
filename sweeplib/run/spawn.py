"""Start one command: find its program, spawn it in a session of its own, or say why not.

Loaded by the guard process: imports must stay few.
"""

# ruff: noqa: PTH110, PTH118
# Importing pathlib would make the guard start a third slower.

from __future__ import annotations

import errno
import os
import signal

from sweeplib.run.open_files import as_before

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Refusal", "spawn"]

# What this process, or Python, ignores must not stay ignored in a command.
_RESET = [
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGXFSZ", "SIGXFZ")
    if (number := getattr(signal, name, None)) is not None
]
_NOT_FOUND = (errno.ENOENT, errno.ENOTDIR)


class Refusal:
    """Why a command could not be started, with the exit code a shell would give it."""

    __slots__ = ("exit_code", "message")

    def __init__(self, argv: list[str], error: OSError | ValueError, place: str = "") -> None:
        """Put the error into one line; `place` goes behind the name of the program."""
        code = error.errno if isinstance(error, OSError) else None
        words = os.strerror(code).lower() if code else str(error)
        program = argv[0] if argv else ""
        self.message = f"cannot start {program!r}{place}: {words}"
        self.exit_code = 127 if code in _NOT_FOUND else 126


def spawn(argv: list[str], cwd: str, env: dict[str, str], log: int) -> int | Refusal:
    """Start `argv` in folder `cwd` with exactly `env`; return its process number.

    It has this process's standard input, /dev/null; `log` is the file descriptor of what takes its output.
    The folder, the standard output and the limit of open files of this process change meanwhile: it must
    have one thread only.
    """
    try:
        os.chdir(cwd)
    except (OSError, ValueError) as error:
        return Refusal(argv, error, f" in {cwd!r}")
    try:
        os.dup2(log, 1)  # whose own number may be above the limit, where nothing can be done with it
        with as_before():
            return _try(argv, env)
    finally:
        os.dup2(0, 1)
        os.chdir("/")  # not to keep a folder busy that somebody wants to unmount


def _try(argv: list[str], env: dict[str, str]) -> int | Refusal:
    if not argv or not argv[0]:
        return Refusal(argv, ValueError("the command is empty"))
    if any("\0" in word for word in argv):
        return Refusal(argv, ValueError("an argument holds a NUL character"))
    refusal: OSError | ValueError = FileNotFoundError(errno.ENOENT, "")
    for path in _candidates(argv[0], env):
        try:
            return _spawn(path, argv, env)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOENT and os.path.exists(path):
                return Refusal(argv, error, " or what its first line names")
            refusal = error
            if not isinstance(error, OSError) or error.errno not in (*_NOT_FOUND, errno.EACCES):
                break
    return Refusal(argv, refusal)


def _candidates(program: str, env: dict[str, str]) -> Iterator[str]:
    """Yield where the program may be; those that exist and may not be run are left to fail."""
    if "/" in program:
        yield program
        return
    refused = None
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder or ".", program)
        if os.access(path, os.X_OK):
            yield path
        elif refused is None and os.path.exists(path):
            refused = path
    if refused is not None:
        yield refused


def _spawn(path: str, argv: list[str], env: dict[str, str]) -> int:
    actions = [(os.POSIX_SPAWN_DUP2, 1, 2)]
    try:
        return os.posix_spawn(
            path, argv, env, file_actions=actions, setsid=True, setsigmask=[], setsigdef=_RESET
        )
    except NotImplementedError:  # no setsid in this system's posix_spawn: a group is next best
        return os.posix_spawn(
            path, argv, env, file_actions=actions, setpgroup=0, setsigmask=[], setsigdef=_RESET
        )
