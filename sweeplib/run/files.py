"""Files that are whole or absent, whatever dies while they are written, and those that commands leave.

Loaded by the guard process: imports must stay few.
"""

# ruff: noqa: PTH103, PTH105, PTH108, PTH120
# Importing pathlib would make the guard start a third slower.

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import BufferedReader

__all__ = ["open_left", "write_atomically"]


def open_left(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file that a command may have left; raises OSError, also where it is a pipe or a device.

    To open or read one of these might take for ever.
    """
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "not an ordinary file", path)


def write_atomically(path: str, text: str) -> None:
    """Put `text` (UTF-8) at `path`, replacing what is there; make the folder where it is missing.

    A reader sees the old file or the new one, never a part. Raises OSError, such as on a full
    disk, and then leaves nothing behind.
    """
    part = f"{path}.{os.getpid()}.tmp"
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        try:
            data = memoryview(text.encode("utf-8", "surrogateescape"))
            while data:
                data = data[os.write(handle, data) :]
        finally:
            os.close(handle)
        os.replace(part, path)
    except OSError:
        os.unlink(part)
        raise
