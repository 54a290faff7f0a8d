"""What control groups leave to a process, read from files as the kernel lays them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeplib.run.control_group import Limits, limits

if TYPE_CHECKING:
    from pathlib import Path

GB = 10**9
CASES = {
    "none at all": ({}, Limits()),
    "version 2, of a container": (
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cpu.max": "150000 100000",
            "sys/fs/cgroup/memory.max": "4",
        },
        Limits(1.5, 4),
    ),
    "version 2, without limits": (
        {
            "proc/self/cgroup": "0::/",
            "sys/fs/cgroup/cpu.max": "max 100000",
            "sys/fs/cgroup/memory.max": "max",
        },
        Limits(),
    ),
    "version 2, a job's below a user's": (
        {
            "proc/self/cgroup": "0::/user.slice/job_7\n",
            "sys/fs/cgroup/user.slice/cpu.max": "400000 100000\n",
            "sys/fs/cgroup/user.slice/memory.max": f"{GB}\n",
            "sys/fs/cgroup/user.slice/job_7/cpu.max": "800000 100000\n",
            "sys/fs/cgroup/user.slice/job_7/memory.max": f"{8 * GB}\n",
            "sys/fs/cgroup/other/memory.max": "1\n",
        },
        Limits(4.0, GB),
    ),
    "version 1": (
        {
            "proc/self/cgroup": "5:cpuset:/a\n4:memory:/a\n2:cpu,cpuacct:/a\n0::/\n",
            "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "50000",
            "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/a/memory.limit_in_bytes": str(2 * GB),
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        },
        Limits(0.5, 2 * GB),
    ),
    "version 1, of a container that does not see its path": (
        {
            "proc/self/cgroup": "4:memory:/docker/7f\n2:cpu,cpuacct:/docker/7f\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": str(3 * GB),
        },
        Limits(None, 3 * GB),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_limits(tmp_path: Path, case: str) -> None:
    files, expected = CASES[case]
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert limits(tmp_path) == expected
