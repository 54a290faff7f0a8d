"""Commands that find modules loaded: a script finds no difference to a cold start."""

from __future__ import annotations

import py_compile
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.run.attempt import run_attempt
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sweep

PRELOAD = ("json", "random", "multiprocessing", "logging")

# Each prints, or leaves behind, what a script can find out about its process.
TEXTS = r"""
### globals
for n, v in dict(globals()).items():
    print(n, type(v).__name__, '' if n in ('__loader__', '__builtins__', 'n', 'v') else v)
### docstring
'Of the script.'
x: int = 1
print(__doc__, __annotations__)
### main
import sys
main = sys.modules['__main__']
print(main, main.__dict__ is globals(), __loader__.path)
### arguments
import sys
print(sys.argv, sys.orig_argv, sys.executable, sys.flags, sys.warnoptions)
### path
import sys
print(sys.path, len(sys.meta_path), len(sys.path_hooks))
import json, random, multiprocessing, logging
print([n for n in sys.path_importer_cache if 'sweep' in n])
### folder
import os
print(os.getcwd(), os.umask(0o22), os.environ['PWD'] if 'PWD' in os.environ else '')
### environment
import os
print(list(os.environ.items()), type(os.environ._data), os.environb._data is os.environ._data)
sys = __import__('sys')
sys.stdout.flush()
os.system('env | sort')
### modules
import json, random, multiprocessing, logging, sys
print(sorted(sys.modules))
### files
import os
for n in sorted(os.listdir('/proc/self/fd'), key=int):
    try: print(n, os.readlink(f'/proc/self/fd/{n}'), os.get_inheritable(int(n)))
    except OSError: pass
### process
import os
print([os.getpid() == i for i in (os.getsid(0), os.getpgrp())], os.getppid())
print(os.nice(0), sorted(os.sched_getaffinity(0)))
### command line
print([*filter(None, open('/proc/self/cmdline', 'rb').read().split(b'\0'))])
print(open('/proc/self/comm').read())
### mark
entries = open('/proc/self/environ', 'rb').read().split(b'\0')
print(sorted(e for e in entries if e.startswith((b'SWEEP', b'PATH'))))
### signals
import signal
print({s: signal.getsignal(s) for s in signal.valid_signals()}, signal.pthread_sigmask(0, []))
print(open('/proc/self/status').read().split('SigBlk')[1].split('Cap')[0])
### stdio
import sys
for f in (sys.stdin, sys.stdout, sys.stderr):
    print(f, f.encoding, f.errors, f.line_buffering, f.write_through, f.mode)
    print(f.seekable(), f.isatty(), f.buffer, f.newlines)
print(sys.stdin.read() == '', sys.stdout is sys.__stdout__, sys.stdout.tell())
### order of output
import sys, os
print('a')
sys.stderr.write('b\n')
os.write(1, b'c\n')
print('d')
### atexit
import atexit, sys
@atexit.register
def last(): print('last', '__file__' in globals())
atexit.register(print, 'first')
### atexit after an exit
import atexit, sys
atexit.register(lambda: print('__file__' in globals()))
sys.exit()
### atexit after an error
import atexit, sys
@atexit.register
def last():
    print('__file__' in globals(), sys.last_value, sys.excepthook)
    print(sys.last_traceback.tb_frame.f_code.co_name)
1/0
### exit code
import sys
sys.exit(7)
### exit with a text
import sys
sys.exit('the reason')
### exit with an object
raise SystemExit([1])
### exit at once
import os
print('lost')
os._exit(9)
### exception
def f(x):
    return 1 / x
f(0)
### chained exceptions
try:
    {}['a']
except KeyError as e:
    raise ValueError('wrong') from e
### exception group
raise ExceptionGroup('some', [ValueError(1), TypeError(2)])
### own hook
import sys, traceback
def hook(*a):
    traceback.print_exception(*a)
    print('hooked')
sys.excepthook = hook
1/0
### failing hook
import sys
def hook(*a):
    raise SystemExit(5)
sys.excepthook = hook
1/0
### no hook
import sys
del sys.excepthook
sys.exit(3)
### interrupt
raise KeyboardInterrupt
### signal
import os, signal
os.kill(os.getpid(), signal.SIGTERM)
### ctrl-c
import os, signal, time
os.kill(os.getpid(), signal.SIGINT)
time.sleep(9)
### abort
import os
os.abort()
### wrong syntax
x = 1
def f(:
    pass
### wrong indentation
if True:
x = 1
### other encoding
# coding: latin-1
print(ascii('é'))
### syntax warning
x = 1
print(x is 1)
### unclosed file
import sys
f = open(sys.argv[0])
print('open')
### deleted at exit
class C:
    def __del__(self): print('deleted')
c = C()
### thread
import threading, time
main = threading.current_thread()
def f():
    main.join()
    print('after main')
threading.Thread(target=f).start()
print(threading.enumerate()[0].name, threading.main_thread() is main)
print(main.native_id == __import__('os').getpid())
### daemon thread
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
### pool of threads
from concurrent.futures import ThreadPoolExecutor as P
print(list(P(2).map(str, range(3))))
### asyncio
import asyncio
async def f():
    await asyncio.sleep(0)
    return 5
print(asyncio.run(f()))
### multiprocessing spawn
import multiprocessing as m, sys
class C:
    def __init__(self, x): self.x = x
def f(c): return type(c)(c.x + 1)
if __name__ == '__main__':
    with m.get_context('spawn').Pool(2) as p:
        print([c.x for c in p.map(f, [C(1), C(2)])])
### multiprocessing fork
import multiprocessing as m, sys
class C:
    def __init__(self, x): self.x = x
def f(c): return type(c)(c.x + 1)
if __name__ == '__main__':
    with m.get_context('fork').Pool(2) as p:
        print([c.x for c in p.map(f, [C(1), C(2)])])
### multiprocessing forkserver
import multiprocessing as m, sys
class C:
    def __init__(self, x): self.x = x
def f(c): return type(c)(c.x + 1)
if __name__ == '__main__':
    with m.get_context('forkserver').Pool(2) as p:
        print([c.x for c in p.map(f, [C(1), C(2)])])
### pickle
import pickle
class C: pass
print(type(pickle.loads(pickle.dumps(C()))) is C, C.__module__)
### source
import inspect
def f():
    return 1
print(inspect.getsource(f), inspect.getfile(f))
### logging
import atexit, logging, sys
logging.basicConfig(format='%(message)s %(filename)s %(lineno)s %(funcName)s')
atexit.register(logging.error, 'at exit')
logging.warning('now')
print(logging.LogRecord('', 1, '', 1, '', (), None).relativeCreated < 5000)
### warning
import warnings
def f():
    warnings.warn('w')
f()
warnings.warn('top')
### argparse
import argparse
argparse.ArgumentParser().parse_args(['--help'])
### subprocess
import subprocess, sys
code = 'import sys, os; print(sys.path, os.getcwd())'
print(subprocess.run([sys.executable, '-c', code], capture_output=True, text=True))
### recursion
import sys
print(sys.getrecursionlimit())
### limits
import resource
print([resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith('RLIMIT')])
### import of main
import sys, importlib
m = importlib.import_module('__main__')
print(m.__spec__, m.__name__)
### import of a neighbour
import neighbour
print(neighbour.__file__, neighbour.__spec__.cached)
### long output
for i in range(100_000):
    print('line', i)
"""
SCRIPTS = {name: code for name, _, code in (text.partition("\n") for text in TEXTS.split("### ")[1:])}
SCRIPTS["null byte"] = "x = 'a\0b'"


def ends(
    sweep: Sweep, *argv: str, preload: tuple[str, ...] = PRELOAD, **changes: Any
) -> list[tuple[Any, ...]]:
    """Run a command cold and warm, and return how each ended and what it printed."""
    found = []
    for key, modules in (("c01d", ()), ("3a53", preload)):
        attempt = run_attempt(sweep.work(*argv, **{**changes, "key": key, "preload": modules}), tick=0.05)
        log = sweep.paths.log(key, 1).read_bytes().decode("utf-8", "surrogateescape")
        log = log.replace(key, "KEY").replace(f"/{key[:2]}/", "/KE/")
        sweep.await_quiet()
        end = (attempt.outcome, attempt.exit_code, attempt.message, attempt.metrics, attempt.note)
        found.append((*end, log))
    return found


@pytest.fixture
def project(sweep: Sweep) -> Path:
    (sweep.paths.folder / "neighbour.py").write_text("")
    return sweep.paths.folder


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_finds_no_difference(sweep: Sweep, project: Path, name: str) -> None:
    (project / "script.py").write_text(SCRIPTS[name])
    cold, warm = ends(sweep, sys.executable, "script.py", "--lr=1", "--model=ü\udcff", "")
    assert warm == cold


TELL = """
import sys, os
print(sys.flags, sys._xoptions, sys.warnoptions, sys.path, sys.argv, sys.orig_argv, __file__, __debug__)
print(sys.stdout, sys.stdout.write_through, sys.dont_write_bytecode)
print(getattr(__spec__, "name", __spec__), __package__)
"""


@pytest.mark.parametrize(
    "options",
    [
        *("-u", "-O", "-OO", "-B", "-b", "-bb", "-s", "-S", "-E", "-I", "-P", "-q", "-d", "-sEu"),
        *("-W error", "-Werror", "-X dev", "-Xutf8=0", "-X utf8"),
        *("-X faulthandler", "-X tracemalloc=3", "-X no_debug_ranges"),
    ],
)
def test_options_of_the_interpreter(sweep: Sweep, project: Path, options: str) -> None:
    (project / "script.py").write_text(TELL)
    cold, warm = ends(sweep, sys.executable, *options.split(), "script.py", "a", preload=("json",))
    assert warm == cold
    assert cold[0] is Outcome.COMPLETED


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONPATH": "a:b"},
        {"PYTHONPATH": ""},
        {"PYTHONSAFEPATH": "1"},
        {"PYTHONUNBUFFERED": "1"},
        {"PYTHONUNBUFFERED": None},
        {"PYTHONWARNINGS": "error"},
        {"PYTHONHASHSEED": "5"},
        {"PYTHONOPTIMIZE": "2"},
        {"PYTHONIOENCODING": "latin-1:replace"},
        {"PYTHONDEVMODE": "1"},
        {"PYTHONFAULTHANDLER": "1"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"ODD": "\udcff", "EMPTY": ""},
        {"MLFLOW_RUN_ID": "0123", "MLFLOW_RUN_CONTEXT": '{"a": 1}'},
    ],
    ids=str,
)
def test_variables(sweep: Sweep, project: Path, env: dict[str, str | None]) -> None:
    (project / "script.py").write_text(
        f"{TELL}\nprint(list(os.environ.items()), hash('a') if {len(env)} == 5 else '')"
    )
    cold, warm = ends(sweep, sys.executable, "script.py", "ü\udcff", env=env)
    assert warm == cold
    assert cold[0] is Outcome.COMPLETED


@pytest.mark.parametrize(
    "words",
    [
        ("script.py",),
        ("./script.py",),
        ("pack/../script.py",),
        ("link.py",),
        ("missing.py",),
        ("pack",),
        ("script.pyc",),
        ("-m", "script"),
        ("-m", "pack"),
        ("-m", "pack.part"),
        ("-m", "pack.missing"),
        ("-m", "missing"),
        ("-u", "-m", "pack.wrong"),
    ],
    ids=" ".join,
)
def test_what_is_run(sweep: Sweep, project: Path, words: tuple[str, ...]) -> None:
    code = f"{TELL}\nimport neighbour\nif sys.argv[1:] == ['1']: 1/0"
    code = f"if __name__ == '__main__':\n{textwrap.indent(code, '    ')}\nelse:\n    import json"
    for name in ("script.py", "pack/__main__.py", "pack/part.py", "elsewhere/real.py"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(code)
    (project / "pack" / "__init__.py").write_text("")
    (project / "pack" / "wrong.py").write_text("x = (")
    (project / "elsewhere" / "neighbour.py").write_text("print('elsewhere')")
    (project / "link.py").symlink_to("elsewhere/real.py")
    py_compile.compile(str(project / "script.py"), str(project / "script.pyc"))
    for argument in "01":
        modules = ("json", "pack.part") if "-m" in words else ("json",)
        cold, warm = ends(sweep, sys.executable, *words, argument, preload=modules)
        assert warm == cold
        for path in (*sweep.paths.folder.glob("done/*/*"), *sweep.paths.folder.glob("logs/*/*")):
            path.unlink()


def test_output_of_the_modules_comes_first(sweep: Sweep, project: Path) -> None:
    (project / "loud.py").write_text("import sys\nprint('out' * 50_000)\nsys.stderr.write('err\\n')")
    (project / "script.py").write_text("import loud\nprint('script')")
    cold, warm = ends(sweep, sys.executable, "-u", "script.py", preload=("loud",))
    assert warm == cold


def test_variables_that_a_module_sets(sweep: Sweep, project: Path) -> None:
    (project / "loaded.py").write_text(
        "import os\nos.environ['NEW'] = '1'\nos.environ['OLD'] += '2'\nos.environ.setdefault('GIVEN', '3')\n"
        "del os.environ['AWAY']"
    )
    (project / "script.py").write_text(
        "import loaded, os\nprint([os.environ.get(n) for n in ('NEW', 'OLD', 'GIVEN', 'AWAY')])\n"
        "print(os.popen('echo $NEW $OLD $GIVEN $AWAY').read())"
    )
    env = {"OLD": "1", "GIVEN": "2", "AWAY": "4"}
    cold, warm = ends(sweep, sys.executable, "script.py", preload=("loaded",), env=env)
    assert warm == cold
    assert warm[4] == ""


@pytest.mark.parametrize(
    ("argv", "changes"),
    [
        (("/nowhere/python", "script.py"), {}),
        ((sys.executable, "script.py", "a\0b"), {}),
        ((sys.executable, "script.py"), {"env": {"A": "\0"}}),
        ((sys.executable, "script.py"), {"cwd": "/nowhere"}),
    ],
)
def test_what_cannot_be_started(sweep: Sweep, argv: tuple[str, ...], changes: dict[str, Any]) -> None:
    cold, warm = ends(sweep, *argv, **changes)
    assert warm == cold
    assert cold[0] is Outcome.FAILED


@pytest.mark.parametrize("size", [10, 30_000])
def test_long_arguments_and_variables(sweep: Sweep, project: Path, size: int) -> None:
    (project / "script.py").write_text(
        "import os, sys\nprint(list(map(len, sys.argv)), {k: len(v) for k, v in os.environ.items()})"
    )
    for number in (1, 2, 3):
        env = {"MLFLOW_RUN_CONTEXT": "x" * size * number}
        cold, warm = ends(sweep, sys.executable, "script.py", "y" * size * number, env=env)
        assert warm == cold
        assert cold[0] is Outcome.COMPLETED
        for path in (*sweep.paths.folder.glob("done/*/*"), *sweep.paths.folder.glob("logs/*/*")):
            path.unlink()
