"""Python's search for circles of objects that nobody knows of any more, in processes of our own."""

from __future__ import annotations

import gc

__all__ = ["search_less_often"]

_OBJECTS = 20_000  # new ones, of which Python's own default is 700 to 2,000


def search_less_often() -> None:
    """Look for garbage after 20,000 new objects, no longer after some hundred.

    Prefect's and MLflow's modules are half a million objects that stay. While they are imported, a sixth of
    the processor's time would go into looking whether they are garbage.
    """
    gc.set_threshold(_OBJECTS, *gc.get_threshold()[1:])
