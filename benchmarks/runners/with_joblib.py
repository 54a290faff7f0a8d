"""The commands under joblib: two worker processes, as it makes them by default."""

from __future__ import annotations

from joblib import Parallel, delayed  # type: ignore[import-untyped, import-not-found, unused-ignore]

from benchmarks.runners.noop import argvs, run, tell_span

if __name__ == "__main__":
    tell_span(Parallel(n_jobs=2)(delayed(run)(argv) for argv in argvs()))
