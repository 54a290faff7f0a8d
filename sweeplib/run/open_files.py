"""How many files may be open at once: more in our processes than in the commands.

Each running command has a file open in the process that runs it, and one in its guard. The usual limit of
1024 is there for programs that use select(2), which cannot watch more; ours do not, commands may. So ours
have more, as far as the system allows, and commands have the limit that there was.

Loaded by the guard process: imports must stay few.
"""

from __future__ import annotations

import resource

__all__ = ["as_before", "raise_limit", "room"]

_WANTED = 65_536  # not all that there may be: some programs do something for each that may be open
_OURS = 200  # those that a process of ours has open besides, about

_before: int | None = None  # the limit that this process was started with, once it has another


def raise_limit(before: int | None = None) -> int:
    """Raise this process's limit, once, and return what it was; `before` says so where another raised it."""
    global _before
    if _before is None:
        now = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        _before = now if before is None else before
        _set(_highest())
    return _before


def room() -> int:
    """Return for how many commands at once this process can have a file open, once its limit is raised."""
    limit = _highest()
    return _WANTED if limit == resource.RLIM_INFINITY else max(1, limit - _OURS, limit // 4)


def _highest() -> int:
    """Return the limit that this process is to have: no lower than the one that it has."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now == resource.RLIM_INFINITY:
        return now
    return max(now, _WANTED if most == resource.RLIM_INFINITY else min(_WANTED, most))


class as_before:  # noqa: N801  (a context manager; contextlib would have to be imported)
    """Have the limit that there was before it was raised: what is started meanwhile inherits it."""

    def __enter__(self) -> None:
        self._now = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if _before is not None:
            _set(_before)

    def __exit__(self, *_: object) -> None:
        _set(self._now)


def _set(limit: int) -> None:
    """Set the limit, where the system takes it."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != now:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
        except (OSError, ValueError):
            return
