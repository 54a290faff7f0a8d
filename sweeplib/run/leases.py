"""Leases of devices: each command that asks for a GPU, or for a share of one, has its own while it runs.

A device is a file of this machine's, a share so many bytes of it under a lock of the open file
(``F_OFD_SETLK`` of fcntl(2)): the system gives it back when the guard that holds it lets go, or dies. All
sweeps of a user on this machine share the files.

Whoever waits for devices waits for its turn first: a lock beside the parts of each device that it may use,
in the order of their names, held until it has what it needs. So commands of several sweeps take turns, and
one that needs several devices at once is not passed by for ever by those that need one.

Loaded by the guard process, and only for commands that ask for devices: imports must stay few.
"""

# ruff: noqa: PTH103, PTH118
# Importing pathlib would make the guard start a third slower.

from __future__ import annotations

import errno
import fcntl
import math
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Asking", "Lease", "lease"]

PARTS = 60
"""Into how many parts a device can be shared out."""

_TAKEN = (errno.EAGAIN, errno.EACCES)
_FLOCK = "hhqqi4x"  # type, whence, start, length, process: of struct flock


class Lease:
    """Devices that are held until `close`."""

    def __init__(self, devices: Sequence[str], handles: Sequence[int]) -> None:
        """Take over the open files that hold them."""
        self.devices = list(devices)
        self._handles = list(handles)

    def close(self) -> None:
        """Give the devices back."""
        for handle in self._handles:
            os.close(handle)
        self._handles = []


class Asking:
    """A wish for a share of one of these devices, or so many whole ones, until `close`.

    Raises OSError if there can be no files for them in `folder`.
    """

    def __init__(self, folder: str, devices: Sequence[str], amount: float) -> None:
        """Wait for nothing yet."""
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._folder = folder
        self._devices = devices
        self._amount = amount
        self._queued = sorted(devices, key=_name)
        self._turns: list[int] = []

    def lease(self) -> Lease | None:
        """Return the devices; None where it is not its turn, or not enough is free now: ask again."""
        while len(self._turns) < len(self._queued):
            handle = _open(self._folder, self._queued[len(self._turns)])
            if not _lock(handle, PARTS, 1):
                os.close(handle)
                return None
            self._turns.append(handle)
        found = lease(self._folder, self._devices, self._amount)
        if found is not None:
            self.close()
        return found

    def close(self) -> None:
        """Let the next one have its turn."""
        _close(self._turns)
        self._turns = []


def lease(folder: str, devices: Sequence[str], amount: float) -> Lease | None:
    """Lease a share of one device, or so many whole ones; None where not enough is free now.

    Of shares, those that leave the least of a device come first, so that whole ones stay free. Raises OSError
    if there can be no files for them in `folder`.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if amount < 1:
        return _share(folder, devices, math.ceil(amount * PARTS - 1e-9))
    held: dict[str, int] = {}
    for device in devices:
        handle = _open(folder, device)
        if _lock(handle, 0, PARTS):
            held[device] = handle
        else:
            os.close(handle)
        if len(held) == amount:
            return Lease(list(held), list(held.values()))
    _close(held.values())
    return None


def _share(folder: str, devices: Sequence[str], parts: int) -> Lease | None:
    found: dict[str, tuple[int, list[int]]] = {}
    for device in devices:
        handle = _open(folder, device)
        free = [part for part in range(PARTS) if _lock(handle, part, 1)]
        if len(free) >= parts:
            found[device] = handle, free
        else:
            os.close(handle)
    if not found:
        return None
    device = min(found, key=lambda each: len(found[each][1]))
    handle, free = found.pop(device)
    _close(other for other, _ in found.values())
    for part in free[parts:]:
        _lock(handle, part, 1, fcntl.F_UNLCK)
    return Lease([device], [handle])


def _open(folder: str, device: str) -> int:
    return os.open(os.path.join(folder, _name(device)), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _name(device: str) -> str:
    name = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in device)
    return f"gpu-{name}"


def _lock(handle: int, start: int, length: int, kind: int = fcntl.F_WRLCK) -> bool:
    """Lock, or unlock, so many bytes; False where another has one of them."""
    try:
        fcntl.fcntl(handle, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, kind, os.SEEK_SET, start, length, 0))
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True


def _close(handles: Iterable[int]) -> None:
    for handle in handles:
        os.close(handle)
