"""The file locks by which the processes of a sweep know of each other.

All are `flock` locks, which end with the process that holds them, however it ends:

``owner.lock``    exclusive, by the process that owns the sweep, as long as it lives
``workers.lock``  shared, by every guard while it runs a command of the sweep
a log file        shared, by worker, guard and command, until the command ended and its marker is written

A file system without such locks is used without them. Loaded by the guard process: imports must
stay few.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time

__all__ = ["SweepLocks", "is_free", "is_unused", "lock_log", "unlock_log"]

_UNLOCKABLE = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


def is_free(path: str | os.PathLike[str]) -> bool | None:
    """Tell whether nobody holds `path` exclusively; None if there is no such file."""
    return _can_lock(path, os.O_RDONLY, fcntl.LOCK_SH)


def is_unused(path: str | os.PathLike[str]) -> bool | None:
    """Tell whether nobody holds `path`, shared or exclusively; None if there is no such file."""
    return _can_lock(path, os.O_RDWR, fcntl.LOCK_EX)


def _can_lock(path: str | os.PathLike[str], access: int, kind: int) -> bool | None:
    try:
        handle = os.open(path, access | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
        # A child that was forked this moment may hold the file open: closing would not unlock it.
        fcntl.flock(handle, fcntl.LOCK_UN)
    except BlockingIOError:
        return False
    except OSError:
        return None
    finally:
        os.close(handle)
    return True


def lock_log(handle: int) -> None:
    """Lock a log file, shared; another's short look at the lock (`is_unused`) is waited out."""
    for _ in range(100):
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.001)
        except OSError:
            return
        else:
            return


def unlock_log(handle: int) -> None:
    """Unlock and close a log file, which others that were handed it may keep open."""
    try:
        fcntl.flock(handle, fcntl.LOCK_UN)
    except OSError as error:
        if error.errno not in _UNLOCKABLE:
            raise
    finally:
        os.close(handle)


class SweepLocks:
    """Shared locks on the sweeps' ``workers.lock``, held while a command of the sweep runs."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._held: dict[str, tuple[int, int]] = {}  # path: file descriptor, commands

    def take(self, path: str) -> bool:
        """Hold the lock for one more command; False while somebody has it exclusively.

        Raises OSError if the file cannot be made.
        """
        if path in self._held:
            handle, count = self._held[path]
            self._held[path] = (handle, count + 1)
            return True
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        except OSError as error:
            if error.errno not in _UNLOCKABLE:  # a file system without locks: go on without
                os.close(handle)
                raise
        self._held[path] = (handle, 1)
        return True

    def drop(self, path: str) -> None:
        """Hold the lock for one command less."""
        handle, count = self._held.pop(path)
        if count > 1:
            self._held[path] = (handle, count - 1)
        else:
            os.close(handle)
