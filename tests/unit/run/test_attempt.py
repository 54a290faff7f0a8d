"""`run_attempt`: outcomes, messages, markers, claims, and what a command gets to see."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from sweeplib.errors import GuardError
from sweeplib.run.attempt import run_attempt
from sweeplib.run.client import Guard
from sweeplib.run.marker import read_marker, read_markers
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sweep


def test_a_command_completes(sweep: Sweep) -> None:
    before = time.time()
    attempt = sweep.run("sh", "-c", "echo out; echo err >&2")

    assert attempt == Attempt(
        key=sweep.key,
        number=1,
        outcome=Outcome.COMPLETED,
        started=attempt.started,
        ended=attempt.ended,
        exit_code=0,
        log=str(sweep.paths.log(sweep.key, 1)),
    )
    assert before <= attempt.started <= attempt.ended <= time.time() + 0.1
    assert sweep.log() == "out\nerr\n"


def test_the_marker_tells_the_attempt_and_its_command(sweep: Sweep) -> None:
    attempt = sweep.run("sh", "-c", "exit 3")

    path = sweep.paths.marker(sweep.key, 1)
    data = json.loads(path.read_text())
    assert read_marker(path) == attempt
    assert data["argv"] == ["sh", "-c", "exit 3"]
    assert isinstance(data["pid"], int)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("script", "exit_code", "message"),
    [
        ("echo first; echo 'what went wrong'; echo; exit 3", 3, "exit code 3: what went wrong"),
        ("exit 1", 1, "exit code 1, without any output"),
        ("printf '\\033[31mred\\033[0m'; exit 1", 1, "exit code 1: red"),
        ("printf '10%%\\r20%%\\r'; exit 2", 2, "exit code 2: 20%"),
        ("kill -9 $$", -9, "killed by SIGKILL (out of memory, or someone's kill -9)"),
        ("kill -SEGV $$", -11, "killed by SIGSEGV (segmentation fault)"),
        ("kill -TERM $$", -15, "killed by SIGTERM (terminated)"),
        ("kill -40 $$", -40, "killed by signal 40"),
    ],
)
def test_a_failure_says_why(sweep: Sweep, script: str, exit_code: int, message: str) -> None:
    attempt = sweep.run("sh", "-c", script)
    assert (attempt.outcome, attempt.exit_code, attempt.message) == (Outcome.FAILED, exit_code, message)


def test_a_long_last_line_is_cut(sweep: Sweep) -> None:
    attempt = run_attempt(sweep.python("print('x' * 300); raise SystemExit(1)"), tick=0.05)
    assert attempt.message == f"exit code 1: {'x' * 199}…"


@pytest.mark.parametrize(
    ("argv", "exit_code", "message"),
    [
        (("pythn", "a.py"), 127, "cannot start 'pythn': no such file or directory"),
        (("./missing",), 127, "cannot start './missing': no such file or directory"),
        (("./plain.txt",), 126, "cannot start './plain.txt': permission denied"),
        (("/tmp",), 126, "cannot start '/tmp': permission denied"),  # noqa: S108
        (("./binary",), 126, "cannot start './binary': exec format error"),
        (
            ("./script",),
            127,
            "cannot start './script' or what its first line names: no such file or directory",
        ),
        (("",), 126, "cannot start '': the command is empty"),
        (("a\0b",), 126, "cannot start 'a\\x00b': an argument holds a NUL character"),
        (("sh", "x" * 3_000_000), 126, "cannot start 'sh': argument list too long"),
    ],
)
def test_what_cannot_start_says_why(
    sweep: Sweep, argv: tuple[str, ...], exit_code: int, message: str
) -> None:
    (sweep.paths.folder / "plain.txt").write_text("text")
    for name, text in (("binary", "\0\0\0"), ("script", "#!/no/such/interpreter\n")):
        (sweep.paths.folder / name).write_text(text)
        (sweep.paths.folder / name).chmod(0o755)

    attempt = sweep.run(*argv)

    assert (attempt.outcome, attempt.exit_code, attempt.message) == (Outcome.FAILED, exit_code, message)
    assert sweep.log() == f"{message}\n"
    assert read_marker(sweep.paths.marker(sweep.key, 1)) == attempt


def test_a_missing_working_folder_says_so(sweep: Sweep) -> None:
    attempt = sweep.run("true", cwd="/no/such/folder")
    message = "cannot start 'true' in '/no/such/folder': no such file or directory"
    assert (attempt.outcome, attempt.exit_code, attempt.message) == (Outcome.FAILED, 127, message)


def test_the_command_is_found_on_the_path_of_its_own_environment(sweep: Sweep) -> None:
    tool = sweep.paths.folder / "tools" / "mytool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)
    attempt = sweep.run("mytool", env={"PATH": f"/usr/bin:{tool.parent}"})
    assert attempt.outcome is Outcome.COMPLETED
    assert sweep.log() == "found\n"


def test_a_relative_program_is_found_from_the_working_folder(sweep: Sweep) -> None:
    tool = sweep.paths.folder / "mytool"
    tool.write_text("#!/bin/sh\npwd\n")
    tool.chmod(0o755)
    assert sweep.run("./mytool").outcome is Outcome.COMPLETED
    assert sweep.log() == f"{sweep.paths.folder}\n"


def test_a_command_sees_its_sweep_and_no_input(sweep: Sweep) -> None:
    names = ("SWEEP_ID", "SWEEP_JOB", "SWEEP_KEY", "SWEEP_ATTEMPT", "SWEEP_RESULT")
    sweep.run("sh", "-c", " ".join(["echo", *[f"${name}" for name in names], "&& cat"]))
    result = sweep.paths.marker(sweep.key, 1).with_name(f"{sweep.key}.1.result.json")
    assert sweep.log() == f"01SWEEP train {sweep.key} 1 {result}\n"


def test_a_command_leads_a_session_and_ignores_no_signal(sweep: Sweep) -> None:
    code = (
        "import os, signal\n"
        "print(os.getsid(0) == os.getpgrp() == os.getpid())\n"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('SigBlk')])\n"
        "names = ('SIGINT', 'SIGTERM', 'SIGHUP')\n"
        "print([signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN for name in names])\n"
        "print(sorted(int(n) for n in os.listdir('/proc/self/fd')))\n"
    )
    run_attempt(sweep.python(code), tick=0.05)
    # The fourth descriptor is the one that lists the folder.
    assert sweep.log() == "True\n['0000000000000000']\n[True, True, True]\n[0, 1, 2, 3]\n"


def test_environment_is_laid_over_that_of_this_process_as_it_is_now(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = ("sh", "-c", 'echo "${A-no} ${B-no} ${C-no}"')
    monkeypatch.setenv("A", "a1")
    monkeypatch.setenv("B", "b1")
    sweep.run(*show)
    monkeypatch.setenv("A", "ä2")
    monkeypatch.delenv("B")
    monkeypatch.setenv("C", os.fsdecode(b"\xff"))
    sweep.run(*show, key="k2")
    sweep.run(*show, key="k3", env={"A": None, "B": "b3"})

    logs = [sweep.paths.log(key, 1).read_bytes() for key in (sweep.key, "k2", "k3")]
    assert logs == [b"a1 b1 no\n", "ä2 no ".encode() + b"\xff\n", b"no b3 \xff\n"]


def test_what_completed_is_not_run_again(sweep: Sweep) -> None:
    first = sweep.run("sh", "-c", "echo ran")
    second = sweep.run("sh", "-c", "echo ran again")
    assert second == first
    assert sweep.log() == "ran\n"
    assert not sweep.paths.log(sweep.key, 2).exists()


def test_attempts_are_numbered(sweep: Sweep) -> None:
    numbers = [sweep.run("sh", "-c", "exit $SWEEP_ATTEMPT").exit_code for _ in range(3)]
    assert numbers == [1, 2, 3]
    assert [attempt.number for attempt in read_markers(sweep.paths, sweep.key)] == [1, 2, 3]

    done = sweep.run("true")
    assert (done.outcome, done.number) == (Outcome.COMPLETED, 4)
    assert read_markers(sweep.paths, sweep.key)[-1] == done


def test_a_number_stays_taken_when_logs_are_cleared_away(sweep: Sweep) -> None:
    sweep.run("false")
    sweep.paths.log(sweep.key, 1).unlink()
    assert sweep.run("true").number == 2


@pytest.mark.parametrize("torn", ["", "{", '{"key": "ab12cd34", "number": 1', "[]", '{"outcome": "done"}'])
def test_a_torn_marker_counts_as_none(sweep: Sweep, torn: str) -> None:
    marker = sweep.paths.marker(sweep.key, 1)
    sweep.run("true")
    marker.write_text(torn)
    assert read_marker(marker) is None
    assert read_markers(sweep.paths, sweep.key) == []
    assert sweep.run("true").number == 2


def test_a_stopped_sweep_starts_nothing(sweep: Sweep) -> None:
    sweep.paths.stop.touch()
    attempt = sweep.run("sh", "-c", "echo ran")
    assert (attempt.outcome, attempt.number, attempt.log) == (Outcome.CANCELLED, 0, "")
    assert attempt.message == "cancelled: the sweep was stopped"
    assert not sweep.paths.log(sweep.key, 1).exists()


def test_a_stopped_sweep_still_tells_what_completed(sweep: Sweep) -> None:
    done = sweep.run("true")
    sweep.paths.stop.touch()
    assert sweep.run("true") == done


def test_a_sweep_without_its_owner_starts_nothing(sweep: Sweep) -> None:
    sweep.paths.owner_lock.touch()
    attempt = sweep.run("true")
    assert (attempt.outcome, attempt.number) == (Outcome.LOST, 0)
    assert attempt.message == "the process that owned the sweep died"


def test_the_owners_own_process_runs_commands(sweep: Sweep) -> None:
    with sweep.paths.owner_lock.open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        assert sweep.run("true").outcome is Outcome.COMPLETED


def test_fifty_commands_at_once(sweep: Sweep) -> None:
    with ThreadPoolExecutor(50) as pool:
        attempts = list(pool.map(lambda i: sweep.run("sh", "-c", f"exit {i}", key=f"k{i}"), range(50)))
    assert [attempt.exit_code for attempt in attempts] == list(range(50))


def test_one_key_at_many_hands_is_run_once(sweep: Sweep) -> None:
    with ThreadPoolExecutor(8) as pool:
        attempts = list(pool.map(lambda _: sweep.run("sh", "-c", "echo ran; sleep 0.3"), range(8)))
    assert {attempt.number for attempt in attempts} == {1}
    assert {attempt.outcome for attempt in attempts} == {Outcome.COMPLETED}
    assert [path.name for path in sweep.paths.log(sweep.key, 1).parent.iterdir()] == [f"{sweep.key}.1.log"]


def test_an_attempt_that_runs_elsewhere_is_waited_for(sweep: Sweep) -> None:
    told: list[str] = []
    waits = threading.Event()

    def hear(text: str) -> None:
        told.append(text)
        waits.set()

    gate = sweep.paths.folder / "gate"
    os.mkfifo(gate)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(sweep.run, "sh", "-c", f"echo go > {sweep.mailbox.path}; read line < {gate}")
        assert sweep.mailbox.line() == "go"
        second = pool.submit(run_attempt, sweep.work("echo", "again"), on_output=hear, tick=0.05)
        assert waits.wait(20)
        gate.write_text("open\n")
        assert second.result() == first.result()
    assert told == ["attempt 1 at this combination is still running; waiting for its end"]


def test_a_huge_line_and_much_output_cost_nothing(sweep: Sweep) -> None:
    told: list[str] = []
    code = "import sys\nsys.stdout.write('x' * 200_000 + '\\n')\nfor i in range(100_000): print('line', i)"
    attempt = run_attempt(sweep.python(code), on_output=told.append, tick=0.05)
    assert attempt.outcome is Outcome.COMPLETED
    assert len(sweep.log()) > 1_200_000
    assert told[-1].endswith("line 99999")
    assert max(map(len, told)) < 20_000
    assert any("of output left out here]" in text for text in told)


def test_output_is_passed_on_while_the_command_runs(sweep: Sweep) -> None:
    gate = sweep.paths.folder / "gate"
    os.mkfifo(gate)
    told: list[str] = []

    def hear(text: str) -> None:
        if text:  # there is none yet at the first tick where the shell takes its time
            told.append(text)
            if text == "one":
                gate.write_text("open\n")

    run_attempt(
        sweep.work("sh", "-c", f"echo one; read line < {gate}; printf two"), on_output=hear, tick=0.05
    )
    assert told == ["one", "two"]


def test_a_receiver_that_fails_costs_no_outcome(sweep: Sweep, caplog: pytest.LogCaptureFixture) -> None:
    def fail(text: str) -> None:
        raise RuntimeError(text)

    attempt = run_attempt(sweep.work("echo", "hello"), on_output=fail, tick=0.05)
    assert attempt.outcome is Outcome.COMPLETED
    assert caplog.messages == ["the output of a command could not be passed on; its log file has it"]


def test_numbers_in_the_result_file_are_metrics(sweep: Sweep) -> None:
    attempt = sweep.run("sh", "-c", 'echo \'{"loss": 0.5, "n": 3}\' > "$SWEEP_RESULT"')
    assert attempt.metrics == {"loss": 0.5, "n": 3.0}
    assert read_marker(sweep.paths.marker(sweep.key, 1)) == attempt


def test_a_result_file_of_another_shape_is_told(sweep: Sweep) -> None:
    attempt = sweep.run("sh", "-c", 'echo \'{"loss": "low"}\' > "$SWEEP_RESULT"')
    assert (attempt.outcome, attempt.metrics) == (Outcome.COMPLETED, None)
    assert attempt.message == "its result file is not a mapping of names to numbers"


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("print('{\"n\": 1' + 400 * '0' + '}')", "int too large to convert to float"),
        (
            "print(100_000 * '[')",
            "maximum recursion depth exceeded while decoding a JSON array from a unicode",
        ),
        ("print(16_000_000 * ' ')", "it has more than 16 MB"),
        ("sys.stdout.buffer.write(b'\\xff')", "'utf-8' codec can't decode byte 0xff in position 0: invalid"),
        ("os.remove(path); os.mkfifo(path)", "[Errno 22] not an ordinary file: "),
        ("os.remove(path); os.mkdir(path)", "[Errno 21] Is a directory: "),
    ],
)
def test_no_result_file_ends_the_guard(sweep: Sweep, script: str, problem: str) -> None:
    sweep.run("true", key="k0")
    guard = Guard.shared().pid
    code = f"import os, sys; path = os.environ['SWEEP_RESULT']; sys.stdout = open(path, 'w'); {script}"
    attempt = run_attempt(sweep.python(code), tick=0.05)
    assert (attempt.outcome, attempt.exit_code, attempt.metrics) == (Outcome.COMPLETED, 0, None)
    assert attempt.message.startswith(f"its result file cannot be read: {problem}")
    assert Guard.shared().pid == guard


def test_a_log_that_cannot_be_created_is_a_failure(sweep: Sweep) -> None:
    (sweep.paths.folder / "logs").write_text("a file where a folder belongs")
    attempt = sweep.run("true")
    assert (attempt.outcome, attempt.number) == (Outcome.FAILED, 0)
    path = sweep.paths.log(sweep.key, 1)
    assert attempt.message == f"cannot create the log file {path}: not a directory"


def test_no_command_runs_whose_marker_has_no_place(sweep: Sweep) -> None:
    (sweep.paths.folder / "done").write_text("a file where a folder belongs")
    attempt = sweep.run("sh", "-c", f"echo ran > {sweep.paths.folder / 'ran'}")
    assert attempt.outcome is Outcome.FAILED
    assert attempt.message.endswith(": not a directory")
    assert not (sweep.paths.folder / "ran").exists()


def test_a_marker_that_cannot_be_written_is_told(sweep: Sweep) -> None:
    done = sweep.paths.folder / "done"
    attempt = sweep.run("sh", "-c", f"rm -r {done} && echo > {done}")
    assert attempt.outcome is Outcome.COMPLETED
    assert attempt.message.startswith("the done-marker could not be written ")
    assert attempt.message.endswith(": not a directory")


def test_a_full_disk_is_told(sweep: Sweep, python_path: None) -> None:
    """A limit on file sizes stands for the disk: the marker's write fails, not its creation."""
    code = (
        "import pickle, resource, sys\n"
        "from sweeplib.run.attempt import run_attempt\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "attempt = run_attempt(pickle.loads(bytes.fromhex(sys.argv[1])))\n"
        "sys.stdout.write(f'{attempt.outcome}: {attempt.message}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, pickle.dumps(sweep.work("true")).hex()],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "completed: the done-marker could not be written: file too large"
    folder = sweep.paths.marker(sweep.key, 1).parent
    assert list(folder.iterdir()) == []


def test_more_commands_at_once_than_files_may_be_open(sweep: Sweep, python_path: None) -> None:
    count, limit = 60, 40
    code = f"""
import pickle, resource, sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from sweeplib.run.attempt import run_attempt
from sweeplib.run.client import Guard
from sweeplib.run.open_files import room
resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {count * 10}))
print(room(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
work = pickle.loads(bytes.fromhex(sys.argv[1]))
with ThreadPoolExecutor({count}) as pool:
    attempts = list(pool.map(lambda i: run_attempt(replace(work, key=f"k{{i}}")), range({count})))
Guard.shared().close()
print({{attempt.message for attempt in attempts}})
"""
    gate = sweep.paths.folder / "gate"
    os.mkfifo(gate)
    script = f"ulimit -Sn; ulimit -Hn; echo here > {sweep.mailbox.path}; read line < {gate}"
    words = [sys.executable, "-c", code, pickle.dumps(sweep.work("sh", "-c", script)).hex()]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert [sweep.mailbox.line() for _ in range(count)] == ["here"] * count
        with gate.open("r+b", buffering=0) as file:
            file.write(count * b"\n")  # a byte for each, which keeps until it reads
            told = process.communicate(timeout=20)[0]
    finally:
        process.kill()  # its guard ends what it has left
    assert told == f"{count * 10 - 200} {limit}\n{{''}}\n"
    assert {sweep.log(key=f"k{i}") for i in range(count)} == {f"{limit}\n{count * 10}\n"}


def test_no_guard_is_an_error(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    Guard.shared().close()
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(GuardError) as caught:
        sweep.run("true")
    assert str(caught.value) == (
        "the guard process cannot be started with '/no/such/python': "
        "[Errno 2] No such file or directory: '/no/such/python'"
    )
    assert not sweep.paths.log(sweep.key, 1).exists()


def test_a_guard_that_ends_at_once_is_an_error(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Guard.shared().close()
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(GuardError) as caught:
        sweep.run("true")
    assert str(caught.value) == "the guard process ended at its start: no such library"
