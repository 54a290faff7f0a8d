"""What Prefect prints for the worker that has started us, and that may have died."""

from __future__ import annotations

import logging

__all__ = ["outlive_reader"]


def outlive_reader() -> None:
    """Let what Prefect prints for its worker be lost where the worker has died.

    The console that it prints with would end the thread that prints, Dask's perhaps, and we would wait for
    that for ever.
    """
    held = [logging.root, *logging.Logger.manager.loggerDict.values()]
    for logger in held:
        for handler in logger.handlers if isinstance(logger, logging.Logger) else ():
            console = getattr(handler, "console", None)
            if console is not None:
                console.on_broken_pipe = lambda: None
