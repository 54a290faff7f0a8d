"""The command line as a user has it: in a pipe, on a terminal, from a script, with Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from collections import Counter
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from sweeplib.ledger import SweepState
from sweeplib.run.model import Outcome
from tests.conftest import Project, clean_environment, end_group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

JOBS = """\
defaults: {style: plain, tracking: false, parallel: 2}
jobs:
  train: {run: sh work.sh, sets: [{each: "i=1:3"}]}
  tidy: {run: sh fails.sh, sets: [{each: "i=1:3"}]}
  slow: {run: sh slow.sh, parallel: 5, sets: [{each: "i=1:5"}]}
"""
# The first ends; the others tell their process number and stay.
SLOW = '[ "$1" = i=1 ] && exit; echo $$ >> started; exec sleep 60\n'
COMPLETE = {"_SWEEP_COMPLETE": "bash_complete"}
USAGE = "Usage: sweep [OPTIONS] COMMAND [ARGS]...\nTry 'sweep --help' for help.\n\n"
USAGE_OF_RUN = "Usage: sweep run [OPTIONS] JOB [ARG]...\nTry 'sweep run --help' for help.\n\n"
COLOUR = r"\x1b\[[0-9;]*[34]\d[0-9;]*m"
DEADLINE = 60.0


def fill(folder: Path) -> None:
    folder.mkdir()
    (folder / "sweeps.yaml").write_text(JOBS)
    (folder / "work.sh").write_text('echo "$1 in $PWD"\n')
    (folder / "fails.sh").write_text('[ "$1" != i=2 ]\n')
    (folder / "slow.sh").write_text(SLOW)


@pytest.fixture
def here(tmp_path: Path) -> Project:
    """A project in which nothing is run, so that it needs no server."""
    fill(tmp_path / "here")
    return Project(tmp_path / "here", clean_environment(tmp_path / "home"))


@pytest.fixture
def there(tmp_path: Path, prefect_api: str) -> Project:
    """A project whose Prefect API is the session's server."""
    fill(tmp_path / "there")
    env = clean_environment(tmp_path / "home") | {"PREFECT_API_URL": prefect_api}
    return Project(tmp_path / "there", env)


def outcomes(project: Project) -> dict[str, Outcome | None]:
    """Return the outcomes of the newest sweep."""
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps(limit=1)
        return {row.label: row.outcome for row in ledger.combinations(sweep.id)}


def await_true(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.02)


def started(project: Project) -> list[int]:
    """Return the process numbers of the slow job's commands."""
    path = project.folder / "started"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def assert_gone(pids: list[int]) -> None:
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


class TestCompletion:
    def complete(self, project: Project, line: str) -> list[str]:
        """Return what Tab offers at the end of the line, asked as the shell's script asks."""
        words = [*shlex.split(line), *([""] if line.endswith(" ") else [])]
        env = {**project.env, **COMPLETE, "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        done = subprocess.run(
            [sys.executable, "-c", "from sweeplib.cli import main; main()"],
            cwd=project.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return [line.partition(",")[2] for line in done.stdout.splitlines() if line]

    def test_subcommands(self, here: Project) -> None:
        assert self.complete(here, "sweep re") == ["results", "report", "retry"]
        assert self.complete(here, "sweep ex") == ["explain", "expand"]
        assert {"run", "show", "up", "down", "completion"} <= set(self.complete(here, "sweep "))

    @pytest.mark.parametrize(
        "subcommand", ["run", "show", "explain", "plan", "status", "results", "report", "retry", "cancel"]
    )
    def test_job_names(self, here: Project, subcommand: str) -> None:
        assert self.complete(here, f"sweep {subcommand} t") == ["train", "tidy"]

    def test_job_names_of_another_project(self, here: Project, tmp_path: Path) -> None:
        here.folder = tmp_path
        assert self.complete(here, "sweep -C here run s") == ["slow"]

    def test_options(self, here: Project) -> None:
        assert "--dry-run" in self.complete(here, "sweep run train --d")

    @pytest.mark.parametrize("text", ["jobs: {", "", "jobs: {a: {}}"])
    def test_a_file_that_cannot_be_read_offers_nothing(self, here: Project, text: str) -> None:
        here.jobs(text)
        assert self.complete(here, "sweep run ") == []

    def test_bash_learns_it(self, here: Project) -> None:
        script = """
            eval "$(sweep completion bash)"
            COMP_WORDS=(sweep run t) COMP_CWORD=2
            _sweep_completion sweep
            echo "${COMPREPLY[*]}"
            complete -p sweep
        """
        done = self.bash(here, script)
        assert done.stdout == "train tidy\ncomplete -o nosort -F _sweep_completion sweep\n"
        assert done.stderr == ""

    def bash(self, project: Project, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--norc", "-e", "-c", script],
            cwd=project.folder,
            env=project.env,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_the_shell_in_use_is_the_default(self, here: Project) -> None:
        here.env["SHELL"] = "/usr/bin/zsh"
        assert here.sweep("completion", check=0).stdout.startswith("#compdef sweep\n")
        here.env["SHELL"] = "/bin/tcsh"
        assert here.sweep("completion", check=2).stderr.endswith(
            "Error: no completion for the shell 'tcsh'; say one of: bash, zsh, fish\n"
        )


def test_version(here: Project) -> None:
    done = here.sweep("--version", check=0)
    assert (done.stdout, done.stderr) == (f"sweep, version {version('sweeplib')}\n", "")


def test_a_mistyped_subcommand(here: Project) -> None:
    done = here.sweep("rnu", "train", check=2)
    assert (done.stdout, done.stderr) == (
        "",
        f"{USAGE}Error: No such command 'rnu'; did you mean 'run'?\n",
    )


WRONG = {
    "no such job": (
        "run tarin",
        "sweep: sweeps.yaml has no job 'tarin'; did you mean 'train'? (jobs: train, tidy, slow)\n",
    ),
    "no such folder": (
        "-C nowhere status",
        f"{USAGE}Error: Invalid value for '-C' / '--project': Directory 'nowhere' does not exist.\n",
    ),
    "no commands at once": (
        "run train -j 0",
        f"{USAGE_OF_RUN}Error: Invalid value for '-j' / '--parallel': 0 is not in the range x>=1.\n",
    ),
    "nothing to retry": (
        "retry train",
        "sweep: job 'train' has no sweep yet; start one with: sweep run train\n",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_input(here: Project, arguments: str, message: str) -> None:
    done = here.sweep(*arguments.split(), check=2)
    assert (done.stdout, done.stderr) == ("", message)


def test_no_job_file(tmp_path: Path) -> None:
    done = Project(tmp_path, clean_environment(tmp_path)).sweep("run", "train", check=2)
    assert done.stdout == ""
    assert done.stderr.startswith("sweep: ")
    assert "sweeps.yaml" in done.stderr


def test_a_settings_file_of_prefect_that_cannot_be_read(here: Project) -> None:
    here.write("prefect.toml", "a =")
    done = here.sweep("run", "train", check=2)
    assert done.stderr == (
        f"sweep: {here.folder}/prefect.toml is not valid TOML, and Prefect reads its settings from it: "
        "Invalid value (at end of document)\n"
    )


def in_place_of_the_folder(project: Project) -> str:
    (project.folder / ".sweep").touch()
    problem = f"[Errno 17] File exists: '{project.folder}/.sweep'"
    return f"{project.folder}/.sweep/ledger.db cannot be read or written ({problem})"


def in_place_of_the_ledger(project: Project) -> str:
    (project.folder / ".sweep" / "ledger.db").mkdir(parents=True)
    return f"{project.folder}/.sweep/ledger.db cannot be read or written (unable to open database file)"


@pytest.mark.parametrize("obstacle", [in_place_of_the_folder, in_place_of_the_ledger])
def test_a_ledger_that_cannot_be_written(here: Project, obstacle: Callable[[Project], str]) -> None:
    problem = obstacle(here)
    done = here.sweep("run", "train", check=1)
    remedy = "check that its folder is on a local disk, exists and belongs to you"
    assert (done.stdout, done.stderr) == ("", f"sweep: {problem}; {remedy}\n")


def test_a_server_folder_that_cannot_be_made(here: Project) -> None:
    here.write(".sweep/server", "")
    for arguments in (["up"], ["run", "train"]):
        done = here.sweep(*arguments, check=1)
        assert (done.stdout, done.stderr) == ("", f"sweep: File exists ({here.folder}/.sweep/server)\n")


def test_a_sweeps_folder_that_cannot_be_made(there: Project) -> None:
    there.write(".sweep/sweeps", "")
    done = there.sweep("run", "train", check=1)
    assert done.stdout == ""
    assert re.fullmatch(
        rf"sweep: Not a directory \({re.escape(str(there.folder))}/\.sweep/sweeps/\w{{26}}\)\n", done.stderr
    )


def test_a_pipe_gets_plain_text_and_the_second_run_has_nothing_to_do(there: Project) -> None:
    del there.env["NO_COLOR"]
    there.env["TERM"] = "xterm-256color"
    first = there.sweep("run", "train", check=0)
    assert re.fullmatch(r"train-\w{8}: 3 of 3 completed in [\d.]+ s\n", first.stdout)
    assert re.fullmatch(
        r"(train: [0-2]/3 done(, \d running)?(, \S+ s left)?\n)*train: 3/3 done\n", first.stderr
    )
    second = there.sweep("run", "train", check=0)
    assert (second.stdout, second.stderr) == (
        "",
        "sweep: train: 3 of 3 combinations done; nothing is left to do (--fresh runs all again)\n",
    )


def test_from_another_folder_and_with_a_reader_that_goes_away(there: Project, tmp_path: Path) -> None:
    """The reader ends with the first note; the progress and the result come later."""
    elsewhere = Project(tmp_path, there.env)
    elsewhere.sweep("-C", "there", "run", "train", check=0)
    with there.ledger() as ledger:
        rows = list(ledger.combinations(ledger.sweeps(limit=1)[0].id))
    for row in rows:
        with open(row.log) as log:
            assert log.read() == f"{row.label} in {there.folder}\n"
    assert not (tmp_path / ".sweep").exists()

    there.write("sweeps.yaml", JOBS.replace("i=1:3", "i=1:12"))
    script = 'sweep run train 2>&1 | head -1; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", script], cwd=there.folder, env=there.env, capture_output=True, text=True, check=False
    )
    assert done.stdout == "sweep: train: 3 of 12 combinations done, 9 to go (--fresh runs all again)\n0\n"
    assert done.stderr == ""
    assert list(outcomes(there).values()) == [Outcome.COMPLETED] * 9


def closed(project: Project, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell that can close standard streams; `sweep` is the one that is tested."""
    script = f'sweep() {{ {shlex.quote(sys.executable)} -m sweeplib.cli "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", script],
        cwd=project.folder,
        env=project.env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments", ["show", "show train", "status", "run train --dry-run", "--version", "completion bash"]
)
def test_standard_output_that_is_closed(here: Project, arguments: str) -> None:
    done = closed(here, f"sweep {arguments} >&-")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr


def test_a_run_whose_standard_streams_are_closed(there: Project) -> None:
    done = closed(there, "sweep run train <&- >&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(outcomes(there).values()) == [Outcome.COMPLETED] * 3
    done = closed(there, "sweep logs $(sweep results train --format csv | sed -n 2p | cut -d, -f2) >&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_selection_from_a_variable_that_is_not_set(here: Project) -> None:
    done = here.sweep("run", "train", "--only", "", check=2)
    assert done.stderr == (
        f"{USAGE_OF_RUN}Error: Invalid value for '--only': "
        "the selection is empty; write one such as 'model=svc C=1,10'\n"
    )


def test_a_selection_that_cannot_be_read(here: Project) -> None:
    done = here.sweep("run", "train", "--only", "i=1,,2", check=2)
    assert done.stderr == (
        "sweep: the selection\n  i=1,,2\n      ^\n"
        "expected a value between the commas; write '' for an empty text\n"
    )


def test_several_selections(here: Project) -> None:
    here.jobs("jobs: {train: {run: x, style: plain, sets: [{each: 'i=1:3 j=1:3'}]}}\n")
    done = here.sweep("run", "train", "--dry-run", "--only", "i=1,3", "--only", "j=2", check=0)
    assert done.stdout == "x i=1 j=2\nx i=3 j=2\n"


def test_the_status_of_what_is_no_project(here: Project) -> None:
    (here.folder / "sub").mkdir()
    done = here.sweep("-C", "sub", "status", check=2)
    assert done.stderr.startswith("sweep: there is no sweeps.yaml or hydraflow.yaml in ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_end_from_outside_is_an_interrupt(there: Project, number: signal.Signals) -> None:
    process = there.start("run", "slow")
    try:
        await_true(lambda: len(started(there)) == 4, "four commands to start")
        process.send_signal(number)
        out, err = process.communicate(timeout=DEADLINE)
    finally:
        end_group(process)
    assert process.returncode == 130
    assert re.fullmatch(r"slow-\w{8}: 1 of 5 completed, 4 cancelled in [\d.]+ s\n", out)
    assert err.splitlines()[-1] == (
        "sweep: interrupted; what is done is kept, and the next run goes on with the rest"
    )
    assert "Traceback" not in err
    assert_gone(started(there))
    ended = outcomes(there)
    assert ended.pop("i=1") in (Outcome.COMPLETED, Outcome.CANCELLED)
    assert list(ended.values()) == [Outcome.CANCELLED] * 4
    with there.ledger() as ledger:
        assert ledger.sweeps(limit=1)[0].state is SweepState.CANCELLED


# Makes standard input the controlling terminal, so that Ctrl-C typed there is SIGINT here.
CONTROLLED = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class Terminal:
    """`sweep` on a terminal of its own; `text` is what it has shown."""

    def __init__(self, project: Project, *arguments: str) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
        self.text = ""
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLED, "-m", "sweeplib.cli", *arguments],
            cwd=project.folder,
            env=project.env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )

    def until(self, pattern: str) -> re.Match[str]:
        """Read until what is shown has the pattern."""
        deadline = time.monotonic() + DEADLINE
        while (found := re.search(pattern, self.plain)) is None:
            assert time.monotonic() < deadline, f"{pattern!r} is not in {self.plain[-500:]!r}"
            self.read()
        return found

    @property
    def plain(self) -> str:
        """What it has shown, without escape sequences."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.text)

    def read(self) -> None:
        if select.select([self._master], [], [], 0.1)[0]:
            self.text += os.read(self._master, 65536).decode()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait(self) -> int:
        """Return the exit code, having read what is left."""
        deadline = time.monotonic() + DEADLINE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end: {self.plain[-500:]!r}"
            self.read()
        while select.select([self._master], [], [], 0)[0]:
            self.read()
        code: int = self.process.returncode
        return code

    def after(self) -> list[object]:
        return termios.tcgetattr(self._slave)

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
def terminals(there: Project) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(there, *arguments))
        return opened[-1]

    there.env["TERM"] = "xterm-256color"
    yield start
    for terminal in opened:
        terminal.close()


def test_a_terminal_shows_a_bar_and_is_left_clean(there: Project, terminals: Callable[..., Terminal]) -> None:
    del there.env["NO_COLOR"]
    terminal = terminals("run", "slow")
    terminal.until(r"slow .*1 of 5 done 0 failed 4 running \d:\d\d:\d\d [\d.]+ s left")
    assert re.search(COLOUR, terminal.text), "a terminal has colours"
    assert "usage data" not in terminal.plain, "Prefect has nothing to say here"
    await_true(lambda: len(started(there)) == 4, "four commands to start")
    terminal.type("\x03")
    assert terminal.wait() == 130
    assert terminal.plain.rstrip().endswith(
        "sweep: interrupted; what is done is kept, and the next run goes on with the rest"
    )
    assert terminal.text.rfind("\x1b[?25h") > terminal.text.rfind("\x1b[?25l") >= 0, "the cursor is shown"
    assert "Traceback" not in terminal.plain
    assert terminal.after() == terminal.before
    assert_gone(started(there))
    assert Counter(outcomes(there).values()) == {Outcome.COMPLETED: 1, Outcome.CANCELLED: 4}


def test_failures_without_colour_and_retry(there: Project, terminals: Callable[..., Terminal]) -> None:
    there.env["NO_COLOR"] = "1"
    terminal = terminals("run", "tidy")
    assert terminal.wait() == 1
    assert re.findall(COLOUR, terminal.text) == []
    with there.ledger() as ledger:
        (failed,) = ledger.combinations(ledger.sweeps(limit=1)[0].id, Outcome.FAILED)
    assert re.search(
        r"2 of 3 done 1 failed 0 running \d:\d\d:\d\d 0.00 s left\s*\r\n"
        rf"sweep: failed: i=2: exit code 1, without any output \(sweep logs {failed.key[:8]}\)\r\n"
        r"tidy-\w{8}: 2 of 3 completed, 1 failed in [\d.]+ s\r\n$",
        terminal.plain,
    )
    there.write("fails.sh", "exit 0\n")
    second = there.sweep("retry", "tidy", check=0)
    assert re.fullmatch(r"tidy-\w{8}: 1 of 1 completed, 2 were done before in [\d.]+ s\n", second.stdout)
    assert re.fullmatch(
        r"sweep: tidy: 2 of 3 combinations done, 1 to go \(--fresh runs all again\)\n"
        r"(tidy: 2/3 done, 1 running(, \S+ s left)?\n)*"  # on a machine that is slow today
        r"tidy: 3/3 done\n",
        second.stderr,
    )
