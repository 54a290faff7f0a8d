"""The events to group: made up from their numbers, so that they are the same on every machine."""

import fcntl
import os
from pathlib import Path


def events(folder: Path, rows: int, groups: int) -> Path:
    """Return a Parquet file with the columns `customer`, one of `groups`, and `amount`, in cents.

    It is made once: of several processes that need it at once, one makes it, the others wait. It appears as a
    whole, so that one that was interrupted leaves none behind.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"events-{rows}-{groups}.parquet"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            part = path.with_suffix(".part")
            _write(part, rows, groups)
            os.replace(part, path)  # noqa: PTH105  (as a whole)
    return path


def _write(path: Path, rows: int, groups: int) -> None:
    # Both are in every environment of this project: MLflow needs them.
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    numbers = _mixed(np.arange(rows, dtype=np.uint64))
    columns = {
        "customer": (numbers % np.uint64(groups)).astype(np.int64),
        "amount": (_mixed(numbers) % np.uint64(100_000)).astype(np.int64),
    }
    parquet.write_table(pa.table(columns), path)


def _mixed(numbers):
    """Return numbers of 64 bits that look random (SplitMix64: Steele, Lea and Flood, 2014)."""
    import numpy as np

    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
