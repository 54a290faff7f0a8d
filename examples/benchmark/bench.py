"""Measure how long a backend takes to group events by customer, and log it to MLflow."""

import argparse
import importlib
import os
import platform
import statistics
import time
import zlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from events import events


def number(text: str) -> int:
    """Return a whole number that may be written as ``1e6``."""
    return int(float(text))


def version_of(backend: str) -> str:
    """Return the version of the package that a backend is named after; else that of Python."""
    try:
        return f"{backend} {version(backend)}"
    except PackageNotFoundError:
        return f"{backend}, Python {platform.python_version()}"


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--backend", required=True, help="a module of backends/")
parser.add_argument("--rows", type=number, default=100_000)
parser.add_argument("--groups", type=number, default=1000)
parser.add_argument("--repeats", type=number, default=9)
parser.add_argument("--threads", type=number, default=1)
options = parser.parse_args()

path = events(Path(__file__).with_name("data"), options.rows, options.groups)
backend = importlib.import_module(f"backends.{options.backend}")
table = backend.load(path, options.threads)
times = []
for _ in range(1 + options.repeats):  # the first one warms up
    began = time.perf_counter()
    found = backend.group(table)
    times.append(time.perf_counter() - began)
seconds = statistics.median(times[1:])

# Whole numbers, so that all backends have the same sums to the last digit, in whatever order they add.
rows = sorted(tuple(map(int, row)) for row in found)
checksum = zlib.crc32(repr(rows).encode()) % 10_000
print(
    f"{version_of(options.backend)}: {options.rows:,} rows in {seconds:.4f} s "
    f"({min(times[1:]):.4f} to {max(times[1:]):.4f}), checksum {checksum}"
)

if "MLFLOW_RUN_ID" in os.environ:
    import mlflow

    mlflow.log_metrics({"seconds": seconds, "rows_per_second": options.rows / seconds, "checksum": checksum})
    mlflow.set_tag("backend.version", version_of(options.backend))
