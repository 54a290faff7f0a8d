"""Whether the code of a combination has changed: in real work trees, and without git."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.engine import Codes, Rerun
from sweeplib.engine.sources import Sources
from sweeplib.jobs import load
from sweeplib.ledger import Ledger, Sweep
from sweeplib.plan import Plan
from tests.worktrees import Tree, own_git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweeplib.engine import Change

ID = "01J" + 23 * "0"


class Project:
    """A project whose code is set down, and compared later."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.folder = folder
        self.ledger = ledger
        self.job(run="python train.py", sets=[{"each": "lr=0.1,0.2"}])
        ledger.add_sweep(Sweep(id=ID, lineage=ID, job="train", total=2, created=1.0))

    def write(self, name: str, text: str = "one\n") -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def job(self, **content: Any) -> None:
        self.write("sweeps.yaml", json.dumps({"jobs": {"train": content}}))

    def plan(self, *arguments: str) -> Plan:
        return Plan(load(self.folder).job("train"), arguments)

    def codes(self) -> Codes:
        return Codes(self.plan(), self.folder, self.ledger)

    def keep(self, since: float = 1.0) -> None:
        self.ledger.add_code(ID, since, self.codes().now.to_text())

    def change(self, place: int = 0, started: float | None = 2.0) -> Change:
        return self.codes().change(self.plan()[place], ID, started)

    def files(self, *arguments: str) -> dict[str, list[str]]:
        found = Sources(self.plan(*arguments), self.folder).hashes()
        return {source: list(files) for source, files in found.items()}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    own_git(tmp_path, monkeypatch)
    folder = tmp_path / "project"
    folder.mkdir()
    with Ledger.open(folder / ".sweep" / "ledger.db") as ledger:
        yield Project(folder, ledger)


COMMANDS = {
    "python train.py": {"train.py": ["helper.py", "train.py"]},
    ".venv/bin/python3 -u ./train.py out.csv": {"./train.py": ["helper.py", "train.py"]},
    "python -m pkg.fit": {"-m pkg.fit": ["helper.py", "pkg/__init__.py", "pkg/fit.py"]},
    "python pkg": {"pkg": ["helper.py", "pkg/__main__.py"]},
    "mpirun -n 4 python -m pkg.fit": {"-m pkg.fit": ["helper.py", "pkg/__init__.py", "pkg/fit.py"]},
    "torchrun train.py": {"train.py": ["helper.py", "train.py"]},
    "sh work.sh out.csv": {"work.sh": ["work.sh"]},
    "./work.sh out.csv": {"./work.sh": ["work.sh"]},
    "sh -c 'cd . && nice python train.py > out.csv'": {"train.py": ["helper.py", "train.py"]},
    "sh -c 'echo \"it is'": {},
    "python -c 1": {},
    "python /usr/elsewhere.py": {},
    "python ../elsewhere.py": {},
    "true": {},
    "wc .hidden/x": {},
    "echo " + 300 * "x": {},
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_script_of_a_command(project: Project, command: str) -> None:
    for name in ("helper.py", "work.sh", "out.csv", "pkg/__init__.py", ".hidden/x", ".venv/bin/python3"):
        project.write(name)
    project.write("../elsewhere.py")
    project.write("train.py", "import helper\n")
    project.write("pkg/fit.py", "import helper\n")
    project.write("pkg/__main__.py", "import helper\n")
    project.job(run=command, style="plain", sets=[{"each": "lr=0.1"}])
    assert project.files() == COMMANDS[command]


def test_the_module_of_a_function_and_a_script_among_the_arguments(project: Project) -> None:
    project.write("pkg/fit.py", "import helper\n")
    project.write("helper.py", "")
    project.job(call="pkg.fit.main", style="plain", sets=[{"each": "lr=0.1"}])
    assert project.files() == {"-m pkg.fit": ["helper.py", "pkg/fit.py"]}
    project.job(run="nice", style="plain", sets=[{"each": "lr=0.1"}])
    assert project.files("./helper.py") == {"./helper.py": ["helper.py"]}


def test_without_git_scripts_alone_are_known(project: Project) -> None:
    project.write("train.py", "import helper\n")
    project.write("helper.py", "")
    project.write("data.csv")
    assert not project.change().known
    project.keep()
    project.write("data.csv", "two\n")
    project.write("unused.py", "")
    assert (bool(project.change()), project.change().known) == (False, True)
    project.write("helper.py", "two = 2\n")
    change = project.change()
    assert (change.scripts, str(change)) == (("helper.py",), "helper.py differs")
    assert change.counts(Rerun.SCRIPT)
    (project.folder / "helper.py").unlink()
    project.write("train.py", "import helper, more\n")
    project.write("more.py", "")
    assert str(project.change()) == "helper.py, more.py, train.py differ"
    project.write("train.py", "import helper\n")
    assert str(project.change()) == "helper.py is gone"


def test_the_state_of_git(project: Project) -> None:
    tree = Tree(project.folder)
    for name in ("train.py", "data.csv", "old.csv", "README.md", "LICENSE", ".gitignore", "a/.gitignore"):
        project.write(name)
    project.write("train.py", "")
    project.write("draft.csv")
    tree.git("add", *(name for name in ("train.py", "data.csv", "old.csv", "README.md", "LICENSE", "a")))
    tree.git("commit", "-q", "-m", "first")
    first = tree.git("rev-parse", "HEAD").strip()
    project.keep()

    for name in ("README.md", "LICENSE", ".gitignore", "a/.gitignore", "new.csv"):
        project.write(name, "two\n")
    project.job(run="python train.py", timeout="1h", sets=[{"each": "lr=0.1,0.2"}])
    tree.commit()  # of what was there already, too
    assert not project.change()

    project.write("data.csv", "two\n")
    change = project.change()
    assert (change.scripts, change.others, change.before) == ((), ("data.csv",), first)
    assert (change.counts(Rerun.CHANGED), change.counts(Rerun.SCRIPT)) == (True, False)
    second = tree.commit()
    (project.folder / "old.csv").unlink()
    told = f"(done at commit {first[:7]}, now {second[:7]})"
    assert str(project.change()) == f"git state differs: data.csv, old.csv {told}"
    project.write("data.csv")
    assert str(project.change()) == f"git state differs: old.csv is gone {told}"
    project.write("old.csv")
    assert not project.change()
    project.write("train.py", "x = 1\n")
    assert str(project.change()) == f"train.py differs {told}"


def test_what_was_not_committed_then(project: Project) -> None:
    tree = Tree(project.folder)
    project.write("train.py", "")
    project.write("data.csv")
    commit = tree.commit()
    project.write("data.csv", "two\n")
    project.keep()
    assert not project.change()
    tree.commit()
    assert not project.change()  # the commit is another one, the content is the same
    tree.git("reset", "-q", "--hard", commit)
    assert str(project.change()) == f"git state differs: data.csv (at commit {commit[:7]} both times)"


def test_what_git_no_longer_tracks_is_there_still(project: Project) -> None:
    tree = Tree(project.folder)
    project.write("train.py", "")
    project.write("data.csv", "one\n")
    tree.commit()
    project.keep()
    tree.git("rm", "-q", "--cached", "data.csv")
    project.write(".gitignore", "data.csv\n")
    tree.commit()
    assert not project.change()
    project.write("data.csv", "two\n")
    assert str(project.change()).startswith("git state differs: data.csv (")
    (project.folder / "data.csv").unlink()
    assert str(project.change()).startswith("git state differs: data.csv is gone (")


def test_modes_and_submodules(project: Project) -> None:
    tree, lib = Tree(project.folder), Tree(project.folder / "lib")
    for name in ("train.py", "data.csv", "lib/x.txt"):
        project.write(name, "")
    commit = lib.commit()
    tree.commit()
    project.keep()
    (project.folder / "data.csv").chmod(0o755)
    assert not project.change()
    for content in ("one\n", "two\n"):
        project.write("lib/x.txt", content)
        assert str(project.change()).startswith("git state differs: lib (at commit ")
        project.keep()
        assert not project.change()
    lib.git("reset", "-q", "--hard", commit)
    assert project.change().others == ("lib",)


def test_a_commit_that_is_gone(project: Project) -> None:
    tree = Tree(project.folder)
    project.write("train.py", "")
    project.write("data.csv")
    tree.commit()
    project.keep()
    project.write("data.csv", "two\n")
    (project.folder / ".git").rename(project.folder.parent / "away")
    tree = Tree(project.folder)
    tree.commit()
    assert not project.change()
    project.write("train.py", "x = 1\n")
    assert project.change().scripts == ("train.py",)


def test_a_variant_is_its_files(project: Project) -> None:
    """Those of other variants do not count, with git or without, nor do those that are new."""
    tree = Tree(project.folder)
    for name in ("backends/pandas.yaml", "backends/polars.yaml"):
        project.write(name, "")
    for name in ("train.py", "backends/pandas.py", "backends/polars.py", "backends/polars/more.txt"):
        project.write(name, "")
    project.write("backends/pandas.py", "import backends.common\n")
    project.write("backends/common.py", "")
    project.job(
        run="python train.py", groups={"backend": "./backends/"}, sets=[{"each": "backend=pandas,polars"}]
    )
    tree.commit()
    assert project.files() == {
        "train.py": ["train.py"],
        "backend=pandas": ["backends/common.py", "backends/pandas.py"],
        "backend=polars": ["backends/polars/more.txt", "backends/polars.py"],
    }
    project.keep()
    project.write("backends/polars/more.txt", "two\n")
    project.write("backends/polars.yaml", "timeout: 1h\n")
    project.write("backends/duckdb.yaml", "")
    project.write("backends/duckdb.py", "")
    assert [project.change(place).scripts for place in (0, 1)] == [(), ("backends/polars/more.txt",)]
    assert not project.change(0)
    project.write("backends/common.py", "x = 1\n")
    assert project.change(0).scripts == ("backends/common.py",)
    assert project.change(1).others == ("backends/common.py",)


def test_the_folder_of_a_group_may_be_absolute(project: Project) -> None:
    """Files elsewhere are part of a command, too; a folder inside is the same however it is written."""
    tree = Tree(project.folder)
    for name in ("train.py", "../data/polars.yaml", "in/polars.yaml", "in/polars.json", "in/pandas.yaml"):
        project.write(name, "")
    for name in ("../data/polars.json", "../data/polars.py", "in/pandas.py"):
        project.write(name, "")
    data, inside = project.folder.parent / "data", project.folder / "in"
    each = [{"each": "backend=polars other=polars,pandas"}]
    project.job(run="python train.py", groups={"backend": f"{data}/", "other": str(inside)}, sets=each)
    tree.commit()
    assert project.files() == {
        "train.py": ["train.py"],
        "backend=polars": [f"{data}/polars.json", f"{data}/polars.py"],
        "other=pandas": ["in/pandas.py"],
        "other=polars": ["in/polars.json"],
    }
    project.keep()
    project.write("in/pandas.py", "x = 1\n")
    assert [project.change(place).scripts for place in (0, 1)] == [(), ("in/pandas.py",)]
    assert not project.change(0)
    project.write("../data/polars.json", "two\n")
    assert str(project.change(0)).startswith(f"{data}/polars.json differs")


def test_a_line_is_its_own_scripts(project: Project) -> None:
    project.write("a.py", "")
    project.write("b.py", "")
    project.write("lines.txt", "python a.py --x=1 > out.txt\nnice python b.py --x=1 | sh a.py\necho 'open\n")
    project.job(launch="lines.txt")
    project.keep()
    assert project.files() == {"a.py": ["a.py"], "b.py": ["b.py"]}
    project.write("b.py", "x = 1\n")
    assert [project.change(place).scripts for place in range(3)] == [(), ("b.py",), ()]


def test_a_sweep_that_was_resumed(project: Project) -> None:
    """What ran before has the code of before."""
    project.write("train.py", "")
    project.keep(since=10.0)
    project.write("train.py", "x = 1\n")
    project.keep(since=20.0)
    assert [bool(project.change(started=moment)) for moment in (None, 5.0, 15.0, 20.0, 25.0)] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_thousand_files_are_told_as_a_few(project: Project) -> None:
    project.write("train.py", "".join(f"import m{number:03}\n" for number in range(100)))
    for number in range(100):
        project.write(f"m{number:03}.py", "")
    project.keep()
    for number in range(100):
        project.write(f"m{number:03}.py", "x = 1\n")
    assert str(project.change()) == "m000.py, m001.py, m002.py, m003.py and 96 more differ"


def test_it_takes_no_time(project: Project) -> None:
    """A hundred thousand combinations: one look at the files."""
    project.write("train.py", "")
    project.job(run="python train.py", sets=[{"each": "a=1:1000 b=1:100"}])
    project.keep()
    codes = project.codes()
    began = time.process_time()
    assert not any(codes.change(combination, ID, 2.0) for combination in project.plan())
    assert time.process_time() - began < 5.0
