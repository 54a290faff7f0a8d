"""The commands under bare Dask: `Client.map` over two threads of a worker in this process."""

from __future__ import annotations

from distributed import Client, LocalCluster

from benchmarks.runners.noop import argvs, run, tell_span


def main() -> None:
    local = {"dashboard_address": "127.0.0.1:0", "worker_dashboard_address": "127.0.0.1:0"}
    with (
        LocalCluster(processes=False, n_workers=1, threads_per_worker=2, memory_limit=0, **local) as cluster,
        Client(cluster) as client,
    ):
        tell_span(client.gather(client.map(run, argvs(), pure=False)))


if __name__ == "__main__":
    main()
