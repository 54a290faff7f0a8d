"""The commands of a job of ``hydraflow.yaml`` under HydraFlow, as `hydraflow run JOB` runs them."""

from __future__ import annotations

import shlex
import sys
import time

from hydraflow.executor import aio  # type: ignore[import-not-found, unused-ignore]
from hydraflow.executor.io import get_job  # type: ignore[import-not-found, unused-ignore]
from hydraflow.executor.job import iter_batches, iter_tasks  # type: ignore[import-not-found, unused-ignore]

from benchmarks.runners.noop import tell


def main() -> None:
    job = get_job(sys.argv[1])
    began = time.perf_counter()
    code = aio.run(iter_tasks(shlex.split(job.run), iter_batches(job)))
    tell(seconds=time.perf_counter() - began)
    sys.exit(code)


if __name__ == "__main__":
    main()
