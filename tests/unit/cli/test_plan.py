"""`sweep plan`: what a change of the job file does, against real revisions of git and against files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sweeplib.jobs import load
from sweeplib.ledger import Submission
from sweeplib.plan import Plan
from tests.worktrees import Tree, own_git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Done, History

BEFORE = (
    "jobs: {train: {run: python train.py, style: flags, timeout: 1h, "
    "sets: [{each: 'model=svc,knn lr=1m,2m'}]}}\n"
)


@pytest.fixture
def tree(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """The project as a work tree, whose branch main has two models with two rates."""
    own_git(tmp_path, monkeypatch)
    made = Tree(folder)
    made.write(".gitignore", ".sweep/\n")
    made.write("sweeps.yaml", BEFORE)
    made.commit()
    return made


def commit(tree: Tree) -> str:
    return tree.git("rev-parse", "HEAD")[:7]


def complete(history: History, seconds: dict[str, float]) -> None:
    """Have combinations of the plan as it is completed, each in its time."""
    history.sweep(1)
    for each in Plan(load(history.folder).job("train")):
        if each.label in seconds:
            submission = Submission(
                key=each.key, position=each.position, label=each.label, parameters=each.parameters
            )
            history.ledger.submit(history.id(1), [submission])
            history.end(1, each.key, seconds=seconds[each.label])


def test_nothing_has_changed(tree: Tree, sweep: Callable[..., Done]) -> None:
    tree.write("sweeps.yaml", BEFORE.replace("model=svc,knn lr=1m,2m", "lr=0.002,1e-3 model=knn,svc"))
    done = sweep("plan", "train", "--against", "main")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"train: as in main ({commit(tree)}), 4 combinations\n"
    assert sweep("plan", "--against", "main", "--format", "markdown").out == (
        f"#### train: as in main ({commit(tree)}), 4 combinations\n"
    )


def test_what_is_added_and_removed(tree: Tree, history: History, sweep: Callable[..., Done]) -> None:
    complete(
        history,
        {"model=svc lr=1m": 10.0, "model=svc lr=2m": 10.0, "model=knn lr=1m": 20.0, "model=knn lr=2m": 20.0},
    )
    tree.write("sweeps.yaml", BEFORE.replace("lr=1m,2m", "lr=1m,3m").replace("1h", "2h, parallel: 2"))
    assert sweep("plan", "train", "--against", "main").out == (
        f"train against main ({commit(tree)}): 2 added, 2 removed, 2 kept\n"
        "\n"
        "         combinations  done  to run  time to run  time in all\n"
        "added               2     0       2       30.0 s       30.0 s\n"
        "removed             2     2                            30.0 s\n"
        "kept                2     2       0          0 s       30.0 s\n"
        "\n"
        "times are those of commands one after the other, from 4 earlier attempts; "
        "2 combinations have values that none of these had\n"
        "\n"
        "settings:\n"
        "  timeout: 1h 00m → 2h 00m\n"
        "  parallel: nothing → 2 at once\n"
        "\n"
        "values:\n"
        "  lr: + 3m; - 2m\n"
        "\n"
        "added:\n"
        "  model=svc lr=3m\n"
        "  model=knn lr=3m\n"
        "\n"
        "removed:\n"
        "  model=svc lr=2m\n"
        "  model=knn lr=2m\n"
    )
    assert sweep("plan", "train", "--against", commit(tree), "--format", "markdown").out == (
        f"#### train against {commit(tree)}: 2 added, 2 removed, 2 kept\n"
        "\n"
        "|  | combinations | done | to run | time to run | time in all |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| **added** | 2 | 0 | 2 | 30.0 s | 30.0 s |\n"
        "| **removed** | 2 | 2 |  |  | 30.0 s |\n"
        "| **kept** | 2 | 2 | 0 | 0 s | 30.0 s |\n"
        "\n"
        "times are those of commands one after the other, from 4 earlier attempts; "
        "2 combinations have values that none of these had\n"
        "\n"
        "Settings:\n"
        "\n"
        "- timeout: 1h 00m → 2h 00m\n"
        "- parallel: nothing → 2 at once\n"
        "\n"
        "Values:\n"
        "\n"
        "- lr: + 3m; - 2m\n"
        "\n"
        "<details><summary>Added (2)</summary>\n"
        "\n"
        "- model=svc lr=3m\n"
        "- model=knn lr=3m\n"
        "\n"
        "</details>\n"
        "\n"
        "<details><summary>Removed (2)</summary>\n"
        "\n"
        "- model=svc lr=2m\n"
        "- model=knn lr=2m\n"
        "\n"
        "</details>\n"
    )
    found = json.loads(sweep("plan", "train", "--against", "HEAD", "--format", "json").out)
    assert found["against"] == f"HEAD ({commit(tree)})"
    (job,) = found["jobs"]
    assert job["added"] == {
        "combinations": 2,
        "done": 0,
        "seconds": pytest.approx(30.0, rel=1e-3),
        "seconds_to_run": pytest.approx(30.0, rel=1e-3),
        "known": 2,
        "guessed": 2,
        "sampled": False,
        "labels": ["model=svc lr=3m", "model=knn lr=3m"],
    }
    assert job["kept"] == {
        "combinations": 2,
        "done": 2,
        "seconds": pytest.approx(30.0, rel=1e-3),
        "seconds_to_run": 0.0,
        "known": 2,
        "guessed": 0,
        "sampled": False,
    }
    assert job["values"] == [{"parameter": "lr", "added": ["3m"], "removed": ["2m"]}]
    assert job["settings"] == [
        {"name": "timeout", "before": "1h 00m", "now": "2h 00m"},
        {"name": "parallel", "before": None, "now": "2 at once"},
    ]


def test_what_has_run_already_under_the_new_file(
    tree: Tree, history: History, sweep: Callable[..., Done]
) -> None:
    tree.write("sweeps.yaml", BEFORE.replace("lr=1m,2m", "lr=1m,3m"))
    complete(history, {"model=svc lr=3m": 7.0})
    lines = sweep("plan", "train", "--against", "main").out.splitlines()
    assert lines[2:6] == [
        "         combinations  done  to run  time to run  time in all",
        "added               2     1       1      unknown  7.0 s for 1",
        "removed             2     0                           unknown",
        "kept                2     0       2      unknown      unknown",
    ]


def test_another_command(tree: Tree, sweep: Callable[..., Done]) -> None:
    tree.write(
        "sweeps.yaml",
        BEFORE.replace("train.py", "fit.py").replace("timeout: 1h", "add: --quick, with: [numpy]"),
    )
    out = sweep("plan", "train", "--against", "main").out
    assert out.startswith(f"train against main ({commit(tree)}): 4 added, 4 removed\n")
    assert (
        "\n"
        "the command is another one, so no combination is kept\n"
        "all that are added have the parameters of a removed one, and another command\n"
        "nothing of this job has completed yet, so nothing is known of how long it takes\n"
        "\n"
        "command:\n"
        "  command: run python train.py → run python fit.py\n"
        "  add: nothing → --quick\n"
        "  with: nothing → numpy\n"
        "\n"
        "settings:\n"
        "  timeout: 1h 00m → nothing\n"
        "\n"
        "added:\n"
    ) in out


def test_jobs_that_come_and_go(tree: Tree, sweep: Callable[..., Done]) -> None:
    tree.write(
        "sweeps.yaml",
        BEFORE.replace("{train:", "{fit:").rstrip().removesuffix("}")
        + ", other: {run: 'true', sets: [{each: a=1}], deployments: {nightly: {cron: '0 2 * * *'}}}}\n",
    )
    out = sweep("plan", "fit", "--against", "main").out
    assert out.startswith(f"fit is new against main ({commit(tree)}): 4 added\n")
    assert (
        "the job 'train', which is gone, was the same; "
        "what is done under that name does not count under this one"
    ) in out
    out = sweep("plan", "train", "--against", "main").out
    assert out.startswith(f"train is gone against main ({commit(tree)}): 4 removed\n")
    assert (
        "the job 'fit', which is new, is the same; what is done under this name does not count under that one"
    ) in out
    found = json.loads(sweep("plan", "--against", "main", "--format", "json").out)["jobs"]
    assert [(each["job"], each["renamed_from"], each["renamed_to"]) for each in found] == [
        ("fit", "train", None),
        ("other", None, None),
        ("train", None, "fit"),
    ]
    heads = [line for line in sweep("plan", "--against", "main").out.splitlines() if "against" in line]
    assert heads == [
        f"fit is new against main ({commit(tree)}): 4 added",
        f"other is new against main ({commit(tree)}): 1 added",
        f"train is gone against main ({commit(tree)}): 4 removed",
    ]


def test_a_group_that_variants_bring(tree: Tree, sweep: Callable[..., Done]) -> None:
    tree.write(
        "sweeps.yaml",
        "jobs:\n"
        "  bench: {run: x, groups: {backend: backends/, engine: engines/}, sets: [{each: backend=*}]}\n"
        "  other: {run: x, sets: [{each: a=1}]}\n",
    )
    tree.write("backends/b.yaml", "each: engine=*\n")
    tree.write("engines/e.yaml", "")
    tree.commit()
    name = f"HEAD ({commit(tree)})"
    assert sweep("plan", "bench", "--against", "HEAD").out == f"bench: as in {name}, 1 combination\n"
    tree.write("backends/b.yaml", "eahc: engine=*\n")
    assert sweep("plan", "other", "--against", "HEAD").out == f"other: as in {name}, 1 combination\n"
    assert "backends/b.yaml:1: unknown key 'eahc'" in sweep("show", "bench").err


def test_groups_and_files_are_those_of_the_revision(tree: Tree, sweep: Callable[..., Done]) -> None:
    """In a project below the top of the work tree, whose groups are beside it."""
    jobs = (
        "jobs:\n"
        "  train: {run: python x.py, style: flags, groups: {backend: ../backends/}, "
        "sets: [{each: backend=*}], deployments: {nightly: {cron: '0 2 * * *'}}}\n"
        "  file: {launch: lines.txt}\n"
    )
    tree.write("hydraflow.yaml", "jobs: {}\n")
    for name, text in {
        "sub/sweeps.yaml": jobs,
        "backends/a.yaml": "timeout: 1h\n",
        "backends/b.yaml": "each: threads=1,2\n",
        "sub/lines.txt": "one\ntwo\n",
    }.items():
        tree.write(name, text)
    tree.commit()
    tree.write("backends/a.yaml", "timeout: 2h\n")
    tree.write("backends/b.yaml", "each: threads=1\n")
    tree.write("backends/c.yaml", "")
    tree.write("sub/lines.txt", "two\nthree\n")
    tree.write("sub/sweeps.yaml", jobs.replace("0 2 *", "0 3 *"))
    out = sweep("-C", str(tree.folder / "sub"), "plan", "--against", "main").out
    assert out == (
        f"train against main ({commit(tree)}): 1 added, 1 removed, 2 kept\n"
        "\n"
        "         combinations  done  to run  time to run  time in all\n"
        "added               1     0       1      unknown      unknown\n"
        "removed             1     0                           unknown\n"
        "kept                2     0       2      unknown      unknown\n"
        "\n"
        "nothing of this job has completed yet, so nothing is known of how long it takes\n"
        "\n"
        "settings:\n"
        "  backend=a: timeout 1h 00m → timeout 2h 00m\n"
        "  deployment nightly: cron 0 2 * * * → cron 0 3 * * *\n"
        "\n"
        "values:\n"
        "  backend: + c\n"
        "  threads: - 2\n"
        "\n"
        "added:\n"
        "  backend=c\n"
        "\n"
        "removed:\n"
        "  backend=b threads=2\n"
        "\n"
        f"file against main ({commit(tree)}): 1 added, 1 removed, 1 kept\n"
        "\n"
        "         combinations  done  to run  time to run  time in all\n"
        "added               1     0       1      unknown      unknown\n"
        "removed             1     0                           unknown\n"
        "kept                1     0       1      unknown      unknown\n"
        "\n"
        "nothing of this job has completed yet, so nothing is known of how long it takes\n"
        "\n"
        "values:\n"
        "  command: + three; - one\n"
        "\n"
        "added:\n"
        "  three\n"
        "\n"
        "removed:\n"
        "  one\n"
    )


def test_another_file_and_long_lists(folder: Path, sweep: Callable[..., Done], tmp_path: Path) -> None:
    other = tmp_path / "old.yaml"
    other.write_text(BEFORE)
    (folder / "sweeps.yaml").write_text(BEFORE.replace("lr=1m,2m", "lr=1m,2m seed=1:300"))
    lines = sweep("plan", "train", "--against", str(other)).out.splitlines()
    assert lines[0] == f"train against {other}: 1,200 added, 4 removed"
    assert "  … and 1,190 more" in lines
    assert "  seed: + 1, 2, 3, 4, 5, 6, 7, 8 and 292 more" in lines
    every = sweep("plan", "train", "--against", str(other), "--all").out.splitlines()
    assert len(every) == len(lines) + 1189


def test_more_than_can_be_compared(folder: Path, sweep: Callable[..., Done], tmp_path: Path) -> None:
    other = tmp_path / "old.yaml"
    other.write_text(BEFORE)
    (folder / "sweeps.yaml").write_text(
        BEFORE.replace("lr=1m,2m", "a=1:1000 b=1:1000 c=1:1000").replace("1h", "2h")
    )
    assert sweep("plan", "train", "--against", str(other)).out == (
        f"train against {other}: 4 combinations before, 2,000,000,000 now\n"
        "\n"
        "more than 1,000,000 combinations are not compared one by one\n"
        "\n"
        "settings:\n"
        "  timeout: 1h 00m → 2h 00m\n"
    )


def test_a_submit_job(tree: Tree, sweep: Callable[..., Done]) -> None:
    tree.write("sweeps.yaml", "jobs: {train: {submit: sbatch x.sh, sets: [{each: 'a=1,2'}]}}\n")
    tree.commit()
    tree.write("sweeps.yaml", "jobs: {train: {submit: sbatch x.sh, sets: [{each: 'a=1,2,3'}]}}\n")
    out = sweep("plan", "train", "--against", "HEAD").out
    assert "a submit job is one command: with another combination it runs as a whole\n" in out


def test_a_revision_without_a_job_file(tree: Tree, sweep: Callable[..., Done]) -> None:
    tree.git("rm", "-q", "--cached", "sweeps.yaml")
    tree.git("commit", "-q", "-m", "none")
    said = f"HEAD ({commit(tree)}) has no sweeps.yaml or hydraflow.yaml in this folder, so all is new"
    head = f"train is new against HEAD ({commit(tree)}): 4 added"
    out = sweep("plan", "train", "--against", "HEAD").out
    assert out.startswith(f"{said}\n\n{head}\n")
    out = sweep("plan", "train", "--against", "HEAD", "--format", "markdown").out
    assert out.startswith(f"{said}\n\n#### {head}\n")
    found = json.loads(sweep("plan", "train", "--against", "HEAD", "--format", "json").out)
    assert found["note"] == said


def test_a_job_file_that_was_elsewhere(tree: Tree, sweep: Callable[..., Done]) -> None:
    tree.write("old/sweeps.yaml", BEFORE)
    tree.commit()
    tree.write("new/sweeps.yaml", BEFORE)
    name = f"({commit(tree)})"

    def against(revision: str) -> str:
        return sweep("-C", str(tree.folder / "new"), "plan", "train", "--against", revision).out

    assert against("HEAD").startswith(
        f"HEAD {name} has no sweeps.yaml or hydraflow.yaml in this folder, so all is new; "
        "it has others: --against HEAD:old/sweeps.yaml or HEAD:sweeps.yaml\n"
    )
    for revision in ("HEAD:", "HEAD:sweeps.yaml", "HEAD:old", "HEAD:old/sweeps.yaml", "HEAD:./../old/"):
        assert against(revision) == f"train: as in {revision} {name}, 4 combinations\n"


def test_links_of_a_revision_are_followed(tree: Tree, sweep: Callable[..., Done]) -> None:
    """To a job file, to folders of variants and to single ones, as far as they lead in the commit."""
    jobs = (
        "jobs:\n"
        "  a: {run: python x.py, groups: {backend: backends/}, sets: [{each: backend=*}]}\n"
        "  b: {run: python x.py, groups: {other: others/}, sets: [{each: other=*}]}\n"
    )
    for name, text in {"real/jobs.yaml": jobs, "kept/one.yaml": "", "all.yaml": "each: t=1,2\n"}.items():
        tree.write(name, text)
    for name, target in {
        "sweeps.yaml": "real/jobs.yaml",
        "backends": "real/backends",
        "real/backends": "../kept",
        "kept/two.yaml": "../all.yaml",
        "kept/data": "/elsewhere",
        "others": "../../elsewhere",
        "circle": "circle",
        "nothing": "sweeps",
    }.items():
        (tree.folder / name).unlink(missing_ok=True)
        (tree.folder / name).symlink_to(target)
    tree.commit()
    name = f"HEAD ({commit(tree)})"
    assert sweep("plan", "a", "--against", "HEAD").out == f"a: as in {name}, 3 combinations\n"
    out = f"a: as in HEAD:real/jobs.yaml ({commit(tree)}), 3 combinations\n"
    assert sweep("plan", "a", "--against", "HEAD:sweeps.yaml").out == out.replace("real/jobs", "sweeps")
    told = sweep("plan", "--against", "HEAD").out
    said = "HEAD:others is a link that leads out of the commit, to ../../elsewhere"
    assert f"b cannot be compared with {name}\n\nin {name}:\n  {said}\n" in told
    for path, why in {"circle": "a link that leads back to itself", "nothing": "a link to nothing"}.items():
        done = sweep("plan", "a", "--against", f"HEAD:{path}")
        assert (done.code, done.err) == (2, f"sweep: HEAD:{path} is {why}\n")


TWO = (
    "jobs:\n"
    "  fast: {run: python x.py, sets: [{each: a=1}]}\n"
    "  bench:\n"
    "    run: python x.py\n"
    "    groups: {backend: backends/}\n"
    "    sets: [{each: 'backend=polars,pandas'}]\n"
    "  last: {run: python x.py, sets: [{each: a=2}]}\n"
)
MISSING = (
    "sweeps.yaml:6: jobs.bench.sets[0].each: group 'backend' has no variant 'pandas' in backends/; "
    "the variants are polars; write backends/pandas.yaml, or take it out of the sweep"
)


@pytest.mark.parametrize("side", ["now", "before", "both"])
def test_one_job_that_cannot_be_planned(tree: Tree, sweep: Callable[..., Done], side: str) -> None:
    """Below the top of the work tree, where it is gone now, or is to come."""
    tree.write("sub/sweeps.yaml", TWO)
    tree.write("sub/backends/polars.yaml", "")
    pandas = tree.folder / "sub" / "backends" / "pandas.yaml"
    if side == "now":
        pandas.touch()
    tree.commit()
    pandas.unlink(missing_ok=True)
    if side == "before":
        pandas.touch()
    name = f"HEAD ({commit(tree)})"
    where = "-C", str(tree.folder / "sub"), "plan"
    before = f"HEAD:sub/{MISSING}" if side != "now" else None
    now = f"{tree.folder}/sub/{MISSING}" if side != "before" else None

    done = sweep(*where, "--against", "HEAD")
    assert (done.code, done.err) == (2, "sweep: cannot be compared, as is said above: bench\n")
    wrong = [(f"in {name}", before), ("now", now)]
    assert done.out == (
        f"fast: as in {name}, 1 combination\n\nbench cannot be compared with {name}\n\n"
        + "".join(f"{title}:\n  {text}\n\n" for title, text in wrong if text)
        + f"last: as in {name}, 1 combination\n"
    )
    done = sweep(*where, "--against", "HEAD", "--format", "markdown")
    assert done.code == 2
    wrong = [(f"In {name}", before), ("Now", now)]
    assert done.out == (
        f"#### fast: as in {name}, 1 combination\n\n#### bench cannot be compared with {name}\n\n"
        + "".join(f"{title}:\n\n    {text}\n\n" for title, text in wrong if text)
        + f"#### last: as in {name}, 1 combination\n"
    )
    done = sweep(*where, "--against", "HEAD", "--format", "json")
    assert done.code == 2
    found = json.loads(done.out)["jobs"]
    assert [each["job"] for each in found] == ["fast", "bench", "last"]
    assert found[1] == {"job": "bench", "error": {"before": before, "now": now}}

    for form in ("text", "markdown", "json"):
        done = sweep(*where, "bench", "--against", "HEAD", "--format", form)
        assert (done.code, done.out) == (2, "")
        assert done.err == "sweep: " + "\n".join(filter(None, (before, now))) + "\n"
        assert sweep(*where, "last", "--against", "HEAD", "--format", form).code == 0


def test_one_job_that_cannot_be_read(tree: Tree, sweep: Callable[..., Done]) -> None:
    tree.write("sweeps.yaml", BEFORE.rstrip()[:-1] + ", file: {launch: lines.txt}}\n")
    tree.commit()
    tree.write("sweeps.yaml", BEFORE.rstrip()[:-1] + ", file: {lunch: lines.txt}}\n")
    name = f"HEAD ({commit(tree)})"
    done = sweep("plan", "--against", "HEAD")
    assert (done.code, done.err) == (2, "sweep: cannot be compared, as is said above: file\n")
    assert done.out == (
        f"train: as in {name}, 4 combinations\n"
        "\n"
        f"file cannot be compared with {name}\n"
        "\n"
        f"in {name}:\n"
        "  there is no file HEAD:lines.txt\n"
        "\n"
        "now:\n"
        f"  {tree.folder}/sweeps.yaml:1: jobs.file: unknown key 'lunch'; did you mean 'launch'?\n"
    )
    done = sweep("plan", "file", "--against", "HEAD")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"sweep: {name}: there is no file HEAD:lines.txt\n"
        f"{tree.folder}/sweeps.yaml:1: jobs.file: unknown key 'lunch'; did you mean 'launch'?\n"
    )


def test_a_shallow_clone(tree: Tree, sweep: Callable[..., Done], tmp_path: Path) -> None:
    tree.git("commit", "-q", "--allow-empty", "-m", "another")
    clone = tmp_path / "clone"
    tree.git("clone", "-q", "--depth", "1", f"file://{tree.folder}", str(clone))
    done = sweep("-C", str(clone), "plan", "--against", "HEAD~1")
    assert (done.code, done.out, done.err) == (
        2,
        "",
        (
            "sweep: there is no file 'HEAD~1', and git says: bad revision 'HEAD~1'; this clone has not all "
            "of the history: get it with git fetch --unshallow, or in a workflow with fetch-depth: 0 of "
            "actions/checkout\n"
        ),
    )


BAD = {
    "no such revision": (
        ["train", "--against", "mian"],
        "there is no file 'mian', and git says: bad revision 'mian'",
    ),
    "an option of git's": (
        ["train", "--against", "--all"],
        "there is no file '--all', and git says: bad revision '--all'",
    ),
    "no such revision of a path": (
        ["train", "--against", "mian:sweeps.yaml"],
        "there is no file 'mian:sweeps.yaml', and git says: bad revision 'mian:sweeps.yaml'",
    ),
    "no such path of a revision": (
        ["train", "--against", "main:sweep.yaml"],
        "'main' has no file or folder 'sweep.yaml'; give a path from the top, or ./PATH",
    ),
    "a path out of the work tree": (
        ["train", "--against", "main:../sweeps.yaml"],
        "'main:../sweeps.yaml' leads out of the work tree of git",
    ),
    "a folder": (
        ["train", "--against", "{folder}"],
        "'{folder}' is a folder, and no revision of git; give a job file, such as {folder}/sweeps.yaml",
    ),
    "no such job": (
        ["trian", "--against", "main"],
        "sweeps.yaml has no job 'trian'; did you mean 'train'? (jobs: train)",
    ),
    "a file that is no job file": (
        ["train", "--against", "{folder}/bad.yaml"],
        "{folder}/bad.yaml:1: unknown key 'x'",
    ),
    "a bad file of a revision": (
        ["train", "--against", "bad"],
        "bad:sweeps.yaml:1: jobs.train.timeout: '2 hours' is not a duration",
    ),
    "a group of a revision without its files": (
        ["train", "--against", "gone"],
        (
            "gone:sweeps.yaml:1: jobs.train.groups.backend: the folder backends/ of group 'backend': no such "
            "file or directory\n"
        ),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(tree: Tree, sweep: Callable[..., Done], case: str) -> None:
    tree.git("switch", "-q", "-c", "bad")
    tree.write("sweeps.yaml", BEFORE.replace("1h", "2 hours"))
    tree.commit()
    tree.git("switch", "-q", "-c", "gone")
    tree.write(
        "sweeps.yaml",
        BEFORE.replace("timeout: 1h", "groups: {backend: backends/}").replace("lr=", "backend="),
    )
    tree.commit()
    tree.git("switch", "-q", "main")
    tree.write("bad.yaml", "x: 1\n")
    arguments, told = BAD[case]
    done = sweep("plan", *(each.format(folder=tree.folder) for each in arguments))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("sweep: " + told.format(folder=tree.folder))


def test_no_git(
    folder: Path, sweep: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_git(tmp_path, monkeypatch)
    done = sweep("plan", "train", "--against", "main")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("sweep: there is no file 'main', and git says: not a git repository")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = sweep("plan", "train", "--against", "main")
    assert (done.code, done.err) == (
        2,
        "sweep: git is not installed, so there is no revision to look at; give a file\n",
    )
