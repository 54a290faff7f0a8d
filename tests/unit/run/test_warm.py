"""Commands that find modules loaded: how the guard deals with the processes that have them."""

from __future__ import annotations

import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.run.attempt import run_attempt
from sweeplib.run.client import Guard
from sweeplib.run.marker import read_marker
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sweep


@pytest.fixture
def project(sweep: Sweep) -> Path:
    return sweep.paths.folder


def warm(
    sweep: Sweep, *argv: str, key: str = "k", preload: tuple[str, ...] = ("json",), **changes: Any
) -> Attempt:
    return run_attempt(sweep.work(*argv, key=key, preload=preload, **changes), tick=0.05)


def test_nothing_passes_from_one_to_the_next(sweep: Sweep, project: Path) -> None:
    (project / "script.py").write_text(
        "import json, os, sys, signal, atexit\n"
        "print(os.environ.get('OWN'), getattr(json, 'left', 0), len(sys.path), os.getcwd(), os.umask(0o77),\n"
        "      signal.getsignal(signal.SIGTERM), os.environ['SWEEP_KEY'], os.environ.get('MLFLOW_RUN_ID'))\n"
        "os.environ['OWN'] = json.left = 'x'\nsys.path.append('x')\nos.chdir('/')\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    )
    for number in range(3):
        env = {} if number == 1 else {"MLFLOW_RUN_ID": f"r{number}"}
        attempt = warm(sweep, sys.executable, "script.py", key=f"k{number}", env=env)
        assert (attempt.outcome, attempt.note) == (Outcome.COMPLETED, "")
    logs = [sweep.log(key=f"k{number}").replace(f"k{number}", "KEY") for number in range(3)]
    assert logs[1].replace("None\n", "r\n") == logs[0].replace("r0", "r") == logs[2].replace("r2", "r")


def test_one_process_has_the_modules_for_all(sweep: Sweep, project: Path) -> None:
    (project / "loaded.py").write_text("import os\npid = os.getpid()")
    (project / "script.py").write_text("import loaded, sys\nprint(loaded.pid, 'inspect' in sys.modules)")
    (project / "other.py").write_text("import loaded\nprint(loaded.pid)")
    for number in range(3):
        warm(sweep, sys.executable, "script.py", str(number), key=f"k{number}", preload=("loaded",))
    warm(sweep, sys.executable, "other.py", key="other", preload=("loaded",))
    warm(sweep, sys.executable, "script.py", key="set", preload=("loaded",), env={"A": "1"})
    logs = [sweep.log(key=key) for key in ("k0", "k1", "k2", "other", "set")]
    assert logs[0] == logs[1] == logs[2]
    assert len(set(logs)) == 3


def test_modules_begin_to_be_loaded_ahead(sweep: Sweep, project: Path) -> None:
    (project / "loaded.py").write_text("open('loads', 'a').write('x')")
    (project / "script.py").write_text("import loaded")
    env = {"SWEEP_ID": "01SWEEP", "SWEEP_JOB": "train", "A": "1", "HOME": None}
    Guard.shared().prepare([sys.executable, "script.py", "0"], str(project), env, ["loaded"])
    env = {"A": "1", "MLFLOW_EXPERIMENT_ID": "7", "HOME": None}
    for number in range(2):
        warm(sweep, sys.executable, "script.py", str(number), key=f"k{number}", preload=("loaded",), env=env)
    assert (project / "loads").read_text() == "x"
    warm(sweep, sys.executable, "script.py", key="other", preload=("loaded",), env={"A": "2"})
    assert (project / "loads").read_text() == "xx"


def test_nobody_is_told_of_what_cannot_be_loaded_ahead(sweep: Sweep, project: Path) -> None:
    for argv in (["true"], [sys.executable, "a\0b.py"], [sys.executable, "missing.py"]):
        Guard.shared().prepare(argv, str(project), {}, ["missing"])
    assert warm(sweep, "true", preload=()).outcome is Outcome.COMPLETED


ENDS = {
    "held by a module": "from loaded import FILES\nFILES['x'] = open('kept', 'w')\nFILES['x'].write('all')",
    "held by the script": "held = open('kept', 'w')\nheld.write('all')",
    "held by a circle": (
        "class Held:\n    def __init__(self):\n        self.me, self.file = self, open('kept', 'w')\n"
        "    def __del__(self):\n        self.file.write('all')\n        self.file.close()\nheld = Held()"
    ),
    "that needs its module": (
        "import os\nclass Held:\n    def __del__(self):\n        os.rename('made', 'kept')\n"
        "open('made', 'w').write('all')\nheld = Held()"
    ),
    "of a script that fails": (
        "import os\nclass Held:\n    def __del__(self):\n        os.rename('made', 'kept')\n"
        "open('made', 'w').write('all')\nheld = Held()\n1 / 0"
    ),
}


@pytest.mark.parametrize("script", ENDS.values(), ids=ENDS)
def test_what_is_left_at_the_end_is_ended(sweep: Sweep, project: Path, script: str) -> None:
    (project / "loaded.py").write_text("FILES = {}\ndef function(): pass\n")
    (project / "script.py").write_text(script)
    logs = []
    for key, preload in (("cold", ()), ("warm", ("loaded",))):
        assert warm(sweep, sys.executable, "script.py", key=key, preload=preload).note == ""
        assert (project / "kept").read_text() == "all"
        (project / "kept").unlink()
        logs.append(sweep.log(key=key))
    assert logs[0] == logs[1]


RANDOM = """
import random, sys
loaded = sys.modules.get("numpy.random.mtrand")
print(random.random(), random.gauss(0, 1))
print(loaded.random() if loaded else "")
"""


@pytest.mark.parametrize(
    ("own", "same"),
    [
        ("import random\nown = random.Random()", False),
        ("import random\nown = random.Random()\nown.seed(5)", True),
        ("import random\nown = random.Random(5)\nown.random()", True),
        ("import random\nown = random.Random(5)\nown.seed()", False),
        ("import numpy\nown = numpy.random.default_rng(5)", True),
        ("import numpy\nown = numpy.random.default_rng()", False),
        ("import numpy\nown = numpy.random.default_rng(2**100)", True),
        ("import random, copy\nown = copy.deepcopy(random.Random(42))", True),
        ("import numpy\nown = numpy.random.RandomState(5)", True),
    ],
)
def test_random_numbers_of_a_modules_own(sweep: Sweep, project: Path, own: str, same: bool) -> None:
    (project / "loaded.py").write_text(own)
    (project / "script.py").write_text("import loaded\nprint(loaded.own.random())")
    for n in range(3):
        warm(sweep, sys.executable, "script.py", key=f"k{n}", preload=("loaded",))
    assert len({sweep.log(key=f"k{n}") for n in range(3)}) == (1 if same else 3)


@pytest.mark.parametrize(
    ("module", "same"),
    [
        ("import random", False),
        ("import random\nrandom.random()\nrandom.gauss(0, 1)", False),
        ("import random\nfor _ in range(5000): random.random()", False),
        ("import random\nrandom.seed(1)", True),
        ("import random, numpy\nrandom.seed()\nnumpy.random.seed()", False),
        ("import random, numpy\nrandom.seed(1)\nrandom.seed(None)", False),
        ("import random\nrandom.seed(1)\nrandom.random()\nrandom.gauss(0, 1)", True),
        ("import numpy, random\nrandom.seed(1)\nnumpy.random.seed(1)", True),
        ("import numpy, random\nnumpy.random.random()", False),
    ],
)
def test_random_numbers(sweep: Sweep, project: Path, module: str, same: bool) -> None:
    (project / "loaded.py").write_text(module)
    (project / "script.py").write_text(f"import loaded\n{RANDOM}")
    cold, *rest = [
        run_attempt(
            sweep.work(sys.executable, "script.py", key=f"k{n}", preload=("loaded",) if n else ()), tick=0.05
        )
        for n in range(3)
    ]
    assert {attempt.note for attempt in rest} == {""}
    lines = [sweep.log(key=f"k{n}").splitlines() for n in range(3)]
    for line in range(2):
        values = {log[line] for log in lines}
        if values != {""}:
            assert len(values) == (1 if same else 3)


@pytest.mark.parametrize(
    ("module", "note"),
    [
        (None, "preload of 'loaded' failed: ModuleNotFoundError: No module named 'loaded'"),
        ("1/0", "preload of 'loaded' failed: ZeroDivisionError: division by zero"),
        ("raise ValueError", "preload of 'loaded' failed: ValueError"),
        ("import sys\nsys.exit(3)", "preload of 'loaded' failed: SystemExit: 3"),
        ("import os\nos._exit(3)", "preload of 'json', 'loaded' failed: exit code 3"),
        ("import os\nos.kill(os.getpid(), 11)", "preload of 'json', 'loaded' failed: killed by SIGSEGV"),
        (
            "import os, time\nos.closerange(3, 99)\ntime.sleep(60)",
            "preload of 'json', 'loaded' failed: killed by SIGKILL",
        ),
        (
            "from threading import *\nThread(target=Event().wait, name='t', daemon=True).start()",
            "preload of 'loaded' starts a thread (t)",
        ),
        (
            "from threading import *\nfor n in 'ab': Thread(None, Event().wait, n, daemon=True).start()",
            "preload of 'loaded' starts 2 threads (a, b)",
        ),
        (
            "import os\nos.environ.get('MLFLOW_RUN_ID')",
            "preload of 'loaded' reads the variable MLFLOW_RUN_ID, of which every combination has its own",
        ),
        (
            "import os\n'SWEEP_KEY' in os.environ",
            "preload of 'loaded' reads the variable SWEEP_KEY, of which every combination has its own",
        ),
        (
            "import numpy\nown = numpy.random.RandomState()",
            "preload of 'loaded' makes a random generator of NumPy's without a seed, perhaps",
        ),
        (
            "import numpy\nown = numpy.random.SeedSequence()",
            "preload of 'loaded' makes a random generator of NumPy's without a seed, perhaps",
        ),
        (
            "import os\nown = dict(os.environ)",
            "preload of 'loaded' reads the whole environment, of which every combination has its own",
        ),
        ("import os\nown = os.dup(1)", "preload of 'loaded' keeps open /memfd:sweeplib-preload (deleted)"),
        (
            "import multiprocessing\nown = multiprocessing.Lock()",
            "preload of 'loaded' makes memory that commands would share, as a lock between processes is",
        ),
        (
            "import tempfile\nown = tempfile.TemporaryDirectory()",
            "preload of 'loaded' makes a temporary folder, which commands would share",
        ),
        (
            "import subprocess\nown = subprocess.Popen(['true'])",
            "preload of 'loaded' leaves a process running",
        ),
        ("import os\nos.chdir('/')", "preload of 'loaded' changes the working folder"),
        ("file = open('data', 'w')", "preload of 'loaded' keeps open {folder}/data"),
    ],
)
def test_what_cannot_be_loaded_before_starts_cold(
    sweep: Sweep, project: Path, module: str | None, note: str
) -> None:
    if module is not None:
        (project / "loaded.py").write_text(module)
    (project / "script.py").write_text("print('ran')")
    for number in range(2):
        attempt = warm(sweep, sys.executable, "script.py", key=f"k{number}", preload=("json", "loaded"))
        assert attempt.outcome is Outcome.COMPLETED
        assert attempt.note == f"started cold: {note.format(folder=project)}"
        assert sweep.log(key=f"k{number}") == "ran\n"


@pytest.mark.parametrize(
    "module",
    [
        "import threading\nthreading.Thread(target=threading.Event().wait, args=(0.2,)).start()",
        "import os\nos.environ.get('OTHER'), os.getenv('OTHER', ''), 'OTHER' in os.environ",
        "file = open(__file__)\nfile.close()",
        "import subprocess\nsubprocess.run(['true'])",
        "import tempfile, ssl, uuid, concurrent.futures, asyncio, multiprocessing.pool",
    ],
)
def test_what_can_be_loaded_before(sweep: Sweep, project: Path, module: str) -> None:
    (project / "loaded.py").write_text(module)
    (project / "script.py").write_text("import loaded\nprint('ran')")
    attempt = warm(sweep, sys.executable, "script.py", preload=("loaded",))
    assert (attempt.outcome, attempt.note) == (Outcome.COMPLETED, "")


def test_another_command(sweep: Sweep) -> None:
    attempt = warm(sweep, sys.executable, "-c", "print('ran')")
    assert attempt.note == "started cold: preload is for commands such as python train.py or python -m train"
    assert sweep.log(key="k") == "ran\n"


TELLING = "import os\nwith open({fifo!r}, 'w') as file: file.write(f'modules {{os.getpid()}}\\n')\n"
WAITING = "import signal\nsignal.pause()\n"


def test_cancelled_while_its_modules_load(sweep: Sweep, project: Path) -> None:
    (project / "slow.py").write_text(TELLING.format(fifo=str(sweep.mailbox.path)) + WAITING)
    (project / "script.py").write_text("print('ran')")
    with ThreadPoolExecutor() as pool:
        future = pool.submit(
            warm, sweep, sys.executable, "script.py", key="k", preload=("slow",), timeout=0.01
        )
        loading = sweep.mailbox.processes(1)["modules"]
        other = warm(sweep, sys.executable, "script.py", key="other", preload=())
        assert other.outcome is Outcome.COMPLETED
        sweep.paths.stop.touch()
        attempt = future.result()
    assert (attempt.outcome, attempt.message) == (Outcome.CANCELLED, "cancelled: the sweep was stopped")
    assert sweep.log(key="k") == ""
    Guard.shared().close()
    assert loading.ended()


@pytest.mark.parametrize("busy", [True, False])
def test_nothing_outlives_the_guard(sweep: Sweep, project: Path, busy: bool) -> None:
    telling = TELLING.format(fifo=str(sweep.mailbox.path))
    (project / "slow.py").write_text(telling + (WAITING if busy else ""))
    (project / "script.py").write_text(telling.replace("modules", "command") + WAITING)
    with ThreadPoolExecutor() as pool:
        future = pool.submit(warm, sweep, sys.executable, "script.py", preload=("slow",))
        found = sweep.mailbox.processes(1 if busy else 2)
        pid = Guard.shared().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        attempt = future.result()
    assert attempt.outcome is Outcome.LOST
    assert all(process.ended() for process in found.values())


def test_its_modules_die(sweep: Sweep, project: Path) -> None:
    (project / "loaded.py").write_text(TELLING.format(fifo=str(sweep.mailbox.path)))
    (project / "script.py").write_text("print('ran')")
    notes = []
    for number in range(3):
        attempt = warm(sweep, sys.executable, "script.py", key=f"k{number}", preload=("loaded",))
        assert attempt.outcome is Outcome.COMPLETED
        notes.append(attempt.note)
        if number < 2:
            loaded = sweep.mailbox.processes(1)["modules"]
            os.kill(loaded.pid, signal.SIGKILL)
            assert loaded.ended()
    assert notes == ["", "", ""]


def test_its_modules_stop_answering(sweep: Sweep, project: Path) -> None:
    (project / "loaded.py").write_text(TELLING.format(fifo=str(sweep.mailbox.path)))
    (project / "script.py").write_text("print('ran')")
    warm(sweep, sys.executable, "script.py", key="k0", preload=("loaded",))
    loaded = sweep.mailbox.processes(1)["modules"]
    os.kill(loaded.pid, signal.SIGSTOP)
    attempt = warm(sweep, sys.executable, "script.py", key="k1", preload=("loaded",))
    assert attempt.outcome is Outcome.COMPLETED
    assert attempt.note == "started cold: the process with its modules died, or did not answer within 10 s"
    assert loaded.ended()
    assert warm(sweep, sys.executable, "script.py", key="k2", preload=("loaded",)).note == ""
    sweep.mailbox.processes(1)


@pytest.mark.parametrize("wish", ["child", "session", "session-orphan", "stubborn-session"])
def test_a_timeout_ends_everything(sweep: Sweep, project: Path, wish: str) -> None:
    (project / "script.py").write_text(sweep.tree().argv[3])
    argv = (sys.executable, "script.py", str(sweep.mailbox.path), wish)
    with ThreadPoolExecutor() as pool:
        future = pool.submit(warm, sweep, *argv, timeout=1.0)
        found = sweep.mailbox.processes(2)
        attempt = future.result()
    assert (attempt.outcome, attempt.message) == (Outcome.TIMED_OUT, "timed out after 1 s")
    assert all(process.ended(0) for process in found.values())


def test_several_at_once(sweep: Sweep, project: Path) -> None:
    (project / "script.py").write_text("import json, sys\nprint(sys.argv[1])")
    with ThreadPoolExecutor(4) as pool:
        found = [
            pool.submit(
                warm, sweep, sys.executable, "script.py", str(n), key=f"k{n}", env={"ANY": str(n % 6)}
            )
            for n in range(24)
        ]
    assert {(each.result().outcome, each.result().note) for each in found} == {(Outcome.COMPLETED, "")}
    assert [sweep.log(key=f"k{n}") for n in range(24)] == [f"{n}\n" for n in range(24)]


def test_the_note_is_in_the_marker(sweep: Sweep, project: Path) -> None:
    (project / "script.py").write_text("")
    attempt = warm(sweep, sys.executable, "script.py", key="k", preload=("missing",))
    assert read_marker(sweep.paths.marker("k", 1)) == attempt
    marker = json.loads(sweep.paths.marker("k", 1).read_text())
    assert marker.pop("note") == attempt.note
    sweep.paths.marker("k", 1).write_text(json.dumps(marker))
    assert read_marker(sweep.paths.marker("k", 1)) == replace(attempt, note="")


def test_a_called_function(sweep: Sweep, project: Path, python_path: None) -> None:
    (project / "work.py").write_text(
        "import os\npid = os.getpid()\ndef area(width):\n    print(pid)\n    return {'area': width ** 2}\n"
        "def wrong(width):\n    return 1 / (width - width)\n"
    )

    def argv(function: str, width: int) -> list[str]:
        head = [sys.executable, "-m", "sweeplib.run.call", f"work.{function}", "--style", "kwargs"]
        return [*head, "--", f"width={width}"]

    modules = ("sweeplib.run.call", "work")
    found = [warm(sweep, *argv("area", n), key=f"k{n}", preload=modules) for n in range(3)]
    assert [(each.metrics, each.note) for each in found] == [({"area": n**2}, "") for n in range(3)]
    assert len({sweep.log(key=f"k{n}") for n in range(3)}) == 1
    ends = [
        warm(sweep, *argv("wrong", 1), key=key, preload=names) for key, names in (("a", ()), ("b", modules))
    ]
    assert [end.message for end in ends] == ["exit code 1: ZeroDivisionError: division by zero"] * 2
    assert sweep.log(key="a") == sweep.log(key="b")
