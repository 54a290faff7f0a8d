"""Keeping the project's own Prefect server alive while a sweep runs."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweeplib.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sweeplib.orchestrate.server import Service

__all__ = ["kept_alive"]

_LOOK = 0.5  # seconds between two looks at the server's process
_TRIES = 3


@contextmanager
def kept_alive(server: Service, note: Callable[[str], None]) -> Iterator[None]:
    """Start `server` again, on its port, whenever its process dies inside the block.

    Commands go on meanwhile; what Prefect's client could not send it sends when the server is back.
    """
    done = threading.Event()

    def watch() -> None:
        tries = 0
        while not done.wait(_LOOK):
            if server.address() is not None:
                continue
            tries += 1
            note(f"the local {server.name} server has died: starting it again")
            try:
                server.start()
            except ServerError as error:
                note(str(error))
            if tries == _TRIES:
                note(f"the local {server.name} server keeps dying; see {server.log}")
                return

    thread = threading.Thread(target=watch, name="sweep-keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
