"""`sweep status`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from sweeplib.ledger import Submission, SweepState
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [letter * 32 for letter in "abcdefgh"]


def looked_at(failures: int, of_failures: int, completed: int, of_completed: int) -> dict[str, int]:
    return {
        "failures": failures,
        "failures_in_all": of_failures,
        "completed": completed,
        "completed_in_all": of_completed,
    }


def test_nothing_has_run(sweep: Any, folder: Path) -> None:
    done = sweep("status")
    message = "sweep: nothing has run yet; `sweep show` lists the jobs, `sweep run JOB` runs one\n"
    assert (done.code, done.out, done.err) == (0, "", message)
    done = sweep("status", "train")
    message = "sweep: job 'train' has not been run yet; run it with: sweep run train\n"
    assert (done.code, done.out, done.err) == (0, "", message)
    done = sweep("status", "--format", "json")
    assert (done.code, json.loads(done.out), done.err) == (
        0,
        {"sweeps": [], "failures": [], "failure_groups": [], "looked_at": looked_at(0, 0, 0, 0)},
        "",
    )
    assert not (folder / ".sweep").exists()


def test_an_unknown_job(sweep: Any, history: Any, folder: Path) -> None:
    done = sweep("status", "trian")
    message = "sweep: sweeps.yaml has no job 'trian'; did you mean 'train'? (jobs: train, other)\n"
    assert (done.code, done.out, done.err) == (2, "", message)
    history.sweep(1, job="gone")
    (folder / "sweeps.yaml").unlink()
    done = sweep("status", "gine")
    message = "sweep: no sweep of a job 'gine' is on record; did you mean 'gone'? (jobs: gone)\n"
    assert (done.code, done.out, done.err) == (2, "", message)
    assert sweep("status", "gone").code == 0


def test_without_a_job_file_and_without_sweeps(sweep: Any, folder: Path) -> None:
    (folder / "sweeps.yaml").unlink()
    done = sweep("status", "train")
    assert done.code == 2
    assert done.err.startswith(
        f"sweep: there is no sweeps.yaml or hydraflow.yaml in {folder}; write a sweeps.yaml"
    )


def test_sweeps_of_all_jobs_the_newest_first(sweep: Any, history: Any) -> None:
    history.sweep(1, total=3, tag="train-one")
    history.submit(1, *KEYS[:3], C=["1", "2", "3"])
    history.end(1, KEYS[0])
    history.end(1, KEYS[1], Outcome.FAILED, message="exit code 3")
    history.end(1, KEYS[2], Outcome.CANCELLED)
    history.finish(1, SweepState.CANCELLED, seconds=245)
    history.sweep(2, job="other", total=1)
    history.submit(2, KEYS[3])
    history.end(2, KEYS[3])
    history.finish(2, SweepState.COMPLETED, seconds=0.5)
    done = sweep("status")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "sweep      state      started              duration  completed  failed  cancelled  total\n"
        "other-2    completed  2023-11-14 22:13:22    0.50 s          1       0          0      1\n"
        "train-one  cancelled  2023-11-14 22:13:21    4m 05s          1       1          1      3\n"
    )


def test_the_failures_of_the_newest_sweep(sweep: Any, history: Any) -> None:
    history.sweep(1, total=9)
    history.submit(1, *KEYS, C=list(range(1, 9)), note="a\nb")
    outcomes = [Outcome.COMPLETED, Outcome.LOST, Outcome.TIMED_OUT, *[Outcome.FAILED] * 5]
    for number, (key, outcome) in enumerate(zip(KEYS, outcomes, strict=True)):
        history.end(1, key, outcome, message="" if outcome is Outcome.LOST else f"exit code {number}")
    history.finish(1, SweepState.FAILED)
    done = sweep("status", "train")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "sweep    state   started              duration  completed  failed  timed out  lost  total\n"
        "train-1  failed  2023-11-14 22:13:21    1m 00s          1       5          1     1      9\n"
        "\n"
        "not completed in train-1:\n"
        "  5 failed: exit code …\n"
        "    C=4 note=a\\nb  dddddddd\n"
        "    C=5 note=a\\nb  eeeeeeee\n"
        "    C=6 note=a\\nb  ffffffff\n"
        "  1 lost\n"
        "    C=2 note=a\\nb  bbbbbbbb\n"
        "  1 timed out: exit code 2\n"
        "    C=3 note=a\\nb  cccccccc\n"
        "  and 2 more: sweep results train --sweep train-1\n"
        "  the output of one: sweep logs KEY\n"
    )


def test_what_failures_have_in_common_with_what_was_done_before(sweep: Any, history: Any) -> None:
    keys = [f"{place:032x}" for place in range(40)]
    batches = [str(64 << place % 4) for place in range(40)]
    history.sweep(1, total=40)
    history.submit(1, *keys, batch=batches, seed=list(range(40)))
    for place, key in enumerate(keys):
        history.end(1, key, Outcome.FAILED if place % 4 == 3 else Outcome.COMPLETED)
    history.finish(1, SweepState.FAILED)
    history.sweep(2, lineage=1, total=40, done_before=30)
    history.submit(2, *keys[3::4], batch="512", seed=list(range(3, 40, 4)))
    for key in keys[3::4]:
        history.end(2, key, Outcome.FAILED, message=f"exit code 1: out of memory at 0x{key}", exit_code=1)
    history.finish(2, SweepState.FAILED)
    done = sweep("status")
    assert (done.code, done.err) == (0, "")
    assert done.out.partition("\n\n")[2] == (
        "not completed in train-2:\n"
        "  10 failed: exit code 1: out of memory at …\n"
        "    10 of 10 failures have batch=512, and 0 of 30 others\n"
        "    batch=512 seed=3   00000000\n"
        "    batch=512 seed=7   00000000\n"
        "    batch=512 seed=11  00000000\n"
        "  and 7 more: sweep results train --sweep train-2\n"
        "  the output of one: sweep logs KEY\n"
    )
    assert json.loads(sweep("status", "--format", "json").out)["failure_groups"] == [
        {
            "outcome": "failed",
            "exit_code": 1,
            "message": "exit code 1: out of memory at …",
            "count": 10,
            "keys": [keys[3], keys[7], keys[11]],
            "shared": [
                {
                    "parameter": "batch",
                    "relation": "=",
                    "value": "512",
                    "having": 10,
                    "count": 10,
                    "others_having": 0,
                    "others": 30,
                }
            ],
        }
    ]


def test_what_had_completed_before_it_failed_is_no_other(sweep: Any, history: Any) -> None:
    """As after `--rerun changed`: what failed had completed with the code before, all of it twice."""
    keys = [f"{place:032x}" for place in range(20)]
    values: dict[str, Any] = {"batch": [str(place % 5) for place in range(20)], "seed": [*range(4)] * 5}
    for number in (1, 2, 3):
        history.sweep(number, lineage=1, total=20)
        history.submit(number, *keys, **values)
        for place, key in enumerate(keys):
            failed = number == 3 and place % 5 == 4
            history.end(number, key, Outcome.FAILED if failed else Outcome.COMPLETED)
        history.finish(number, SweepState.FAILED if number == 3 else SweepState.COMPLETED)
    done = sweep("status", "train")
    assert done.out.partition("\n\n")[2] == (
        "not completed in train-3:\n"
        "  4 failed\n"
        "    4 of 4 failures have batch=4, and 0 of 16 others\n"
        "    batch=4 seed=0  00000000\n"
        "    batch=4 seed=1  00000000\n"
        "    batch=4 seed=2  00000000\n"
        "  and 1 more: sweep results train --sweep train-3\n"
        "  the output of one: sweep logs KEY\n"
    )
    assert json.loads(sweep("status", "--format", "json").out)["looked_at"] == looked_at(4, 4, 16, 16)
    outcomes = [
        line.split(",")[2]
        for line in sweep("results", "train", "--sweep", "train-3", "--format", "csv").out.splitlines()[1:]
    ]
    assert outcomes.count("failed") == 4, "where it leads to"


def test_a_sample_of_the_others_is_said_to_be_one(sweep: Any, history: Any) -> None:
    keys = [f"{place:032x}" for place in range(2003)]
    history.sweep(1, total=2003)
    history.submit(1, *keys, batch=["512" if place > 1999 else "64" for place in range(2003)])
    for sort, ended in ((Outcome.COMPLETED, keys[:-3]), (Outcome.FAILED, keys[-3:])):
        history.ledger.record(
            history.id(1),
            [Attempt(key=key, number=1, outcome=sort, started=1.0, ended=2.0) for key in ended],
        )
    history.finish(1, SweepState.FAILED)
    title = "not completed in train-1:\n"
    assert sweep("status").out.partition("\n\n")[2].startswith(title)
    history.sweep(2, lineage=1, total=1)
    history.submit(2, "f" * 32, batch="64")
    history.end(2, "f" * 32)
    history.submit(2, *keys[-3:], batch="512")
    for key in keys[-3:]:
        history.end(2, key, Outcome.FAILED)
    history.finish(2, SweepState.FAILED)
    title = "not completed in train-2 (compared with a sample of 2,000 of 2,001 completed):\n"
    assert sweep("status").out.partition("\n\n")[2].startswith(title)
    assert json.loads(sweep("status", "--format", "json").out)["looked_at"] == looked_at(3, 3, 2000, 2001)


def test_a_running_sweep(sweep: Any, history: Any) -> None:
    history.sweep(1, total=10, done_before=4, created=time.time() - 7205)
    history.submit(1, *KEYS[:5])
    history.end(1, KEYS[0])
    for key in KEYS[1:4]:
        history.log(1, key, 1, b"")
    history.mark(1, KEYS[3], 1)  # it waits for its next attempt
    with history.owned(1):
        done = sweep("status")
    assert (done.code, done.err) == (0, "")
    title, line = done.out.splitlines()
    assert title.split("  ")[0] == "sweep"
    assert title.endswith("duration  completed  failed  running  done before  total")
    assert line.split() == ["train-1", "running", *line.split()[2:4], "2h", "00m", "1", "0", "2", "4", "10"]


def test_a_sweep_whose_owner_has_died_is_lost(sweep: Any, history: Any) -> None:
    history.sweep(1, total=4)
    history.submit(1, *KEYS[:4])
    history.end(1, KEYS[0])
    for key in KEYS[1:3]:
        history.log(1, key, 1, b"")
    done = sweep("status")
    assert done.code == 0
    assert (
        done.err == "sweep: the process that ran train-1 has died; the next `sweep run train` recovers it\n"
    )
    assert done.out == (
        "sweep    state  started              duration  completed  failed  lost  total\n"
        "train-1  lost   2023-11-14 22:13:21                    1       0     2      4\n"
    )
    history.paths(1).owner_lock.unlink()
    assert sweep("status").out == done.out


def test_json(sweep: Any, history: Any) -> None:
    history.sweep(1, total=3)
    history.submit(1, *KEYS[:2], C=["1", "2"])
    history.end(1, KEYS[0])
    history.end(1, KEYS[1], Outcome.TIMED_OUT, message="took too long")
    history.finish(1, SweepState.FAILED, seconds=2.5)
    done = sweep("status", "--format", "json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {
        "sweeps": [
            {
                "id": history.id(1),
                "tag": "train-1",
                "job": "train",
                "state": "failed",
                "started": "2023-11-14T22:13:21.000+00:00",
                "ended": "2023-11-14T22:13:23.500+00:00",
                "duration": 2.5,
                "counts": {
                    "completed": 1,
                    "failed": 0,
                    "timed_out": 1,
                    "cancelled": 0,
                    "lost": 0,
                    "running": 0,
                    "done_before": 0,
                    "total": 3,
                },
            }
        ],
        "failures": [
            {
                "sweep": history.id(1),
                "key": KEYS[1],
                "label": "C=2",
                "outcome": "timed out",
                "message": "took too long",
            }
        ],
        "failure_groups": [
            {
                "outcome": "timed out",
                "exit_code": None,
                "message": "took too long",
                "count": 1,
                "keys": [KEYS[1]],
                "shared": [],
            }
        ],
        "looked_at": looked_at(1, 1, 0, 0),
    }


def test_ten_sweeps_or_all(sweep: Any, history: Any) -> None:
    for number in range(12):
        history.sweep(number)
        history.finish(number, SweepState.COMPLETED)
    assert [line.split()[0] for line in sweep("status").out.splitlines()[1:]] == [
        f"train-{number}" for number in range(11, 1, -1)
    ]
    assert len(sweep("status", "--all").out.splitlines()) == 13


def test_a_hundred_thousand_combinations_are_counted_at_once(sweep: Any, history: Any) -> None:
    number = 100_000
    history.sweep(1, total=number)
    keys = [f"{place:032x}" for place in range(number)]
    parameters = {"model": "svc", "C": "1", "gamma": "1m"}
    history.ledger.submit(
        history.id(1),
        [
            Submission(key=key, position=place, label="C=1", parameters=parameters)
            for place, key in enumerate(keys)
        ],
    )
    history.ledger.record(
        history.id(1),
        [
            Attempt(key=key, number=1, outcome=Outcome.FAILED, started=1.0, ended=2.0, message="exit code 1")
            for key in keys
        ],
    )
    history.finish(1, SweepState.FAILED)
    began = time.process_time()
    done = sweep("status")
    took = time.process_time() - began
    assert done.out.partition("\n\n")[2] == (
        "not completed in train-1 (a sample of 2,000 of 100,000):\n"
        "  2,000 failed: exit code 1\n"
        "    C=1  00000000\n"
        "    C=1  00000000\n"
        "    C=1  00000000\n"
        "  and 99,997 more: sweep results train --sweep train-1\n"
        "  the output of one: sweep logs KEY\n"
    )
    assert took < 1
