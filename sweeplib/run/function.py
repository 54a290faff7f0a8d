"""The process of an experiment that is a function: read it from a file, and call it.

Run as ``python -m sweeplib.run.function FILE``. The file has two pickles: where modules are found
(`sys.path`), and the function with its keyword arguments. A mapping of names to numbers that it returns
becomes the attempt's metrics.
"""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

from sweeplib.run.call import call
from sweeplib.run.tree import MARK

__all__ = ["main"]


def main(path: str) -> int:
    """Call the function in the file; return the exit code of the process."""
    with Path(path).open("rb") as file:
        sys.path[:] = pickle.load(file)  # noqa: S301 - `sweeplib.experiments` wrote it
        try:
            function, values = pickle.load(file)  # noqa: S301
        except Exception as error:  # noqa: BLE001 - whatever its modules do when they are imported
            sys.stderr.write(f"the function cannot be had in a process of its own: {error}\n")
            return 1
    return call(getattr(function, "__name__", "function"), function, [], values, os.environ.get(MARK))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
