"""The commands under bare Dask: `Client.map` over two threads of a worker in this process."""

from __future__ import annotations

from distributed import Client, LocalCluster

from benchmarks.runners.noop import argvs, run, tell_span

_LOCAL = {
    "processes": False,
    "n_workers": 1,
    "threads_per_worker": 2,
    "dashboard_address": "127.0.0.1:0",
    "worker_dashboard_address": "127.0.0.1:0",
}


def main() -> None:
    with LocalCluster(**_LOCAL) as cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
        tell_span(client.gather(client.map(run, argvs(), pure=False)))


if __name__ == "__main__":
    main()
