"""A template: a Python process with modules loaded, from which commands are forked.

The guard (`sweeplib.run.warm`) runs this file as a script: with the interpreter and the options of the
commands, in their folder and their environment, but for what every command has its own of. It loads
the modules, tells whether copies of it can be commands, and then makes one for each request.

    guard → template   `modules`, `words` (of the command, up to the script or module), `own` (variables
                       that every command has its own of, which nobody can read here)
    template → guard   `refused`: why commands must be started cold; "" if they need not
    guard → template   `argv`, `env` (pairs), `own` (the entries of those variables), `cwd`; the log's
                       file descriptor travels along
    command → guard    `pid`, once the process leads its session and is known by its environment; or `error`

Messages are of `marshal`, behind their length in four bytes.

A command is the template's grandchild, which the guard adopts at once, so the guard waits for it as for
any other. Python's own start of a script is what `_run` has to look like: `__main__`, `sys.argv`,
`sys.path[0]`, tracebacks and exit codes are as those of ``python script.py``. Only what stands here runs
in the template, with the standard library of any Python from 3.8 on; what it imports for itself is
gone from `sys.modules` before anything else is loaded.
"""

# ruff: noqa: PTH109, PTH115, PTH118, PTH120, PTH123, PTH208, SLF001
# Importing pathlib would leave it behind for the commands to see.

from __future__ import annotations

import os
import sys

_BORN = {name: value for name, value in globals().items() if name.startswith("__")}
_LOADED = frozenset(sys.modules) - {"__future__"}.intersection([*sys.modules][-1:])  # loaded here just now
if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    del sys.path[0]  # this file's folder

import _random  # noqa: E402
import _socket  # noqa: E402
import atexit  # noqa: E402
import fcntl  # noqa: E402
import gc  # noqa: E402
import marshal  # noqa: E402
import time  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, TracebackType
    from typing import Any

__all__ = ["ROOM", "main"]

ROOM = "SWEEP_ROOM"
"""The variable whose place in the process's memory the entries of a command's own variables take."""

_HARMLESS = ("jemalloc_bg_thd",)  # threads that their library ends and starts again around a fork
_PATIENCE = 1.0  # seconds in which threads that only wanted to do something at the import may end
_SEED = 64  # bits that a seed has at most; NumPy takes more where it is given none
_INSTALLED = ("/site-packages/", "/dist-packages/")
_SHARED = "/dev/shm/"  # noqa: S108  (devices by their path, files by what they are)
_BLOCKS = 2000  # of 624 numbers that a library may have drawn while it was imported
_LATE = ("__file__", "__cached__")


class Refusal(Exception):  # noqa: N818  (no error: commands start cold)
    """Copies of this process cannot be commands; the text says why."""


class _Wire:
    """The socket to the guard."""

    def __init__(self, handle: int) -> None:
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, handle)
        self._space = _socket.CMSG_SPACE(4)
        os.set_inheritable(handle, False)  # noqa: FBT003

    def end_with_guard(self, *, at_once: bool) -> None:
        """Have the kernel end this process when the guard ends: it may be busy with an import then."""
        handle = self._socket.fileno()
        fcntl.fcntl(handle, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(handle, fcntl.F_GETFL)
        fcntl.fcntl(handle, fcntl.F_SETFL, flags | os.O_ASYNC if at_once else flags & ~os.O_ASYNC)

    def receive(self) -> tuple[dict[str, Any], int]:
        """Return a message and the file descriptor that came with it; ends the process if none can come."""
        data, carried, _, _ = self._socket.recvmsg(4, self._space)
        log = int.from_bytes(carried[0][2][:4], sys.byteorder) if carried else -1
        message: dict[str, Any] = marshal.loads(self._read(self._read(4, data)))  # noqa: S302  (our own)
        return message, log

    def _read(self, length: int | bytes, data: bytes = b"") -> bytes:
        wanted = int.from_bytes(length, "big") if isinstance(length, bytes) else length
        while len(data) < wanted:
            more = self._socket.recv(wanted - len(data))
            if not more:
                os._exit(0)
            data += more
        return data

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        data = marshal.dumps(message, 2)
        self._socket.sendall(len(data).to_bytes(4, "big") + data)

    def close(self) -> None:
        """Close this process's end."""
        self._socket.close()


class _Memory:
    """The places where the system looks for a process's arguments and environment (``/proc/<pid>``)."""

    def __init__(self) -> None:
        """Find them; raises Refusal where they cannot be written."""
        with open("/proc/self/stat", "rb") as file:
            stat = file.read()
        places = [int(field) for field in stat[stat.rindex(b")") + 2 :].split()[45:49]]
        self._arguments = places[0], places[1] - places[0]
        with open("/proc/self/environ", "rb") as file:
            entries = file.read()
        start = (b"\0" + entries).index(os.fsencode(f"\0{ROOM}="))
        self._own = places[2] + start, entries.index(b"\0", start) - start
        self.tell([], [])

    def tell(self, arguments: list[bytes], own: list[bytes]) -> None:
        """Show these arguments, as far as there is room, and these entries, the first one in any case."""
        fitting: list[bytes] = []
        for entry in own:
            if len(b"\0".join([*fitting, entry])) <= self._own[1]:
                fitting.append(entry)
            elif not fitting:
                msg = f"{entry.decode(errors='replace')} does not fit"
                raise Refusal(msg)
        try:
            handle = os.open("/proc/self/mem", os.O_WRONLY | os.O_CLOEXEC)
            try:
                start, length = self._own
                os.pwrite(handle, b"\0".join(fitting).ljust(length, b"\0"), start)
                if arguments:
                    start, length = self._arguments
                    text = b"".join(argument + b"\0" for argument in arguments)
                    os.pwrite(handle, text[: length - 1].ljust(length, b"\0"), start)
            finally:
                os.close(handle)
        except OSError as error:
            msg = f"its environment cannot be shown in /proc: {error.strerror}"
            raise Refusal(msg) from None


class _Watched(dict):  # type: ignore[type-arg]
    """The environment's dict while modules are loaded: takes note of who asks for what is not here."""

    names: frozenset[bytes] = frozenset()
    asked: set[bytes]

    def __iter__(self) -> Iterator[bytes]:
        self.asked.add(b"*")
        return super().__iter__()

    def __missing__(self, name: bytes) -> bytes:
        if name in self.names:
            self.asked.add(name)
        raise KeyError(name)


class _Environment:
    """The environment of this process, its changes by what is loaded, and those for a command."""

    def __init__(self) -> None:
        self._dict: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]
        self._dict.pop(os.fsencode(ROOM), None)
        os.unsetenv(ROOM)
        self._before = dict(self._dict)
        self._changed: dict[bytes, bytes | None] = {}

    def watch(self, names: list[str]) -> set[bytes]:
        """Return a set that will hold those of `names` which are asked for from now on."""
        watched = _Watched(self._dict)
        watched.names, watched.asked = frozenset(map(os.fsencode, names)), set()
        os.environ._data = watched  # type: ignore[attr-defined]
        return watched.asked

    def settle(self) -> None:
        """Stop watching, and remember what has been changed."""
        after: dict[bytes, bytes] = dict(os.environ._data)  # type: ignore[attr-defined]
        os.environ._data = self._dict  # type: ignore[attr-defined]
        self._dict.clear()
        self._dict.update(after)
        both = [*after, *(name for name in self._before if name not in after)]
        self._changed = {name: after.get(name) for name in both if after.get(name) != self._before.get(name)}

    def become(self, pairs: list[tuple[bytes, bytes]]) -> None:
        """Have exactly this environment, with the changes made to it that the loaded modules make."""
        for name in self._dict:
            os.unsetenv(name)
        self._dict.clear()
        self._dict.update(pairs)
        for name, value in self._changed.items():
            if value is None:
                self._dict.pop(name, None)
            else:
                self._dict[name] = value
        for name, value in self._dict.items():
            os.putenv(name, value)


class _Chance:
    """The random generators of `random` and NumPy that everybody shares, and those that modules make.

    In a process of its own a command finds them with fresh entropy, unless a module that it imports
    gives them a seed. So those that have not been seeded since their creation are made fresh in every
    command; it does not count as a seed that numbers were drawn. `random` makes itself fresh in
    every forked process, so one that was seeded is put back. NumPy's generators cannot be told to be
    fresh: where a module makes one without a seed, commands start cold.
    """

    def __init__(self) -> None:
        self._own: dict[int, Any] = {}
        self._numpys: dict[int, Any] = {}
        self._watched: list[tuple[Any, str, Any]] = []
        self._temporary = False
        self._first: dict[str, tuple[int, ...]] = {}
        self._seeded: Any = None
        self._fresh: list[str] = []
        for name in _GENERATORS:
            if name in sys.modules:
                self.created(name)
        sys.meta_path.insert(0, self)

    def created(self, name: str) -> None:
        """Note the state of a generator at its creation, and watch who gives it a seed, or makes others."""
        module: Any = sys.modules[name]
        if name == "tempfile":
            self._watch_folders(module)
        elif name == "numpy.random._generator":
            self._watch_numpy(module)
        else:
            self._first[name] = _twister(name) or ()
            self._watch_seed(module, name)
            if name == "random":
                self._watch_own(module.Random)

    def _replace(self, owner: Any, name: str, function: Any) -> Any:
        """Put a function into the place of another until `settle`; return that."""
        original = getattr(owner, name)
        self._watched.append((owner, name, original))
        setattr(owner, name, function)
        return original

    def _watch_seed(self, module: Any, name: str) -> None:
        """Take a seed that is none for what it is: fresh entropy."""

        def seed(*arguments: Any, **named: Any) -> None:
            original(*arguments, **named)
            if all(value is None for value in (*arguments, *named.values())):
                self._first[name] = _twister(name) or ()

        original = self._replace(module, "seed", seed)

    def _watch_own(self, random: Any) -> None:
        """Take note of which objects of class `Random` have a seed of their own."""

        def seed(generator: Any, a: Any = None, *more: Any, **named: Any) -> None:
            original(generator, a, *more, **named)
            if a is None:
                self._own[id(generator)] = generator
            else:
                self._own.pop(id(generator), None)

        def setstate(generator: Any, state: Any) -> None:
            restored(generator, state)
            self._own.pop(id(generator), None)

        original = self._replace(random, "seed", seed)
        restored = self._replace(random, "setstate", setstate)

    def _watch_numpy(self, module: Any) -> None:
        """Take note of NumPy's new generators, and of whether they were given a seed."""

        def default_rng(*arguments: Any, **named: Any) -> Any:
            made = original(*arguments, **named)
            if all(value is None for value in (*arguments, *named.values())):
                self._numpys[id(made.bit_generator)] = made.bit_generator
            else:
                self._numpys[id(made.bit_generator)] = None
            return made

        original = self._replace(module, "default_rng", default_rng)
        default_rng.__doc__ = original.__doc__

    def _watch_folders(self, module: Any) -> None:
        """Take note of temporary folders, which the first command to end might remove."""

        def mkdtemp(*arguments: Any, **named: Any) -> Any:
            self._temporary = True
            return original(*arguments, **named)

        original = self._replace(module, "mkdtemp", mkdtemp)

    def harm(self) -> str:
        """Say what cannot be made fresh for each command; nothing if all can."""
        if self._temporary:
            return "makes a temporary folder, which commands would share"
        numpy: Any = sys.modules.get("numpy.random.bit_generator")
        shared: Any = sys.modules.get("numpy.random.mtrand")
        if numpy is None or shared is None:
            return ""
        for found in gc.get_objects():
            if not isinstance(found, (numpy.BitGenerator, numpy.SeedSequence)) or id(found) in self._numpys:
                continue
            if found is shared._rand._bit_generator or self._is_within(found, shared):
                continue
            entropy = getattr(getattr(found, "seed_seq", found), "entropy", None)
            if isinstance(entropy, int) and entropy >> _SEED:
                return "makes a random generator of NumPy's without a seed, perhaps"
        return ""

    def _is_within(self, sequence: Any, shared: Any) -> bool:
        """Tell whether a seed sequence is that of a generator that is known."""
        known = [*filter(None, self._numpys.values()), shared._rand._bit_generator]
        return any(getattr(generator, "seed_seq", None) is sequence for generator in known)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Have `created` called after the import of a module with a generator."""
        if name not in _GENERATORS or name in self._first:
            return None
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, path, target)):
                spec.loader = _Loader(spec.loader, self)  # type: ignore[assignment]
                return spec
        return None

    def settle(self) -> None:
        """Stop watching, and find out which generators have been seeded."""
        sys.meta_path.remove(self)
        for owner, name, original in reversed(self._watched):
            watching = getattr(owner, name)
            setattr(owner, name, original)
            numpy: Any = sys.modules.get("numpy.random")
            if numpy is not None and getattr(numpy, name, None) is watching:
                setattr(numpy, name, original)
        for name, first in self._first.items():
            now = _twister(name)
            if now is not None and _is_drawn_from(first, now):
                self._fresh.append(name)
            elif name == "random":
                self._seeded = sys.modules[name].getstate()

    def become_fresh(self) -> None:
        """Give a new process its own entropy, or back the seed."""
        if self._seeded is not None:
            sys.modules["random"].setstate(self._seeded)
        for name in self._fresh:
            sys.modules[name].seed()
        for generator in self._own.values():
            generator.seed()
        for generator in self._numpys.values():
            if generator is not None:
                generator.state = type(generator)().state


_GENERATORS = ("random", "numpy.random.mtrand", "numpy.random._generator", "tempfile")


class _Loader:
    """The loader of a module with a generator, for the moment of its import."""

    def __init__(self, loader: Any, chance: _Chance) -> None:
        self._loader = loader
        self._chance = chance

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._chance.created(module.__name__)


def _twister(name: str) -> tuple[int, ...] | None:
    """Return the state of a generator, its 624 words and the index; None if it is of another kind."""
    module: Any = sys.modules[name]
    if name == "random":
        state: tuple[int, ...] = module.getstate()[1]
        return state
    found = module.get_state(legacy=False)
    if found["bit_generator"] != "MT19937":
        return None
    return (*map(int, found["state"]["key"]), int(found["state"]["pos"]))


def _is_drawn_from(first: tuple[int, ...], now: tuple[int, ...]) -> bool:
    """Tell whether a generator gets from one state to the other by drawing numbers."""
    size = len(first) - 1
    twister = _random.Random()
    if not size or len(now) != len(first):
        return False
    twister.setstate(first)
    for _ in range(_BLOCKS):
        words = twister.getstate()[:size]
        if words == now[:size]:
            return True
        for _ in range(size):
            twister.getrandbits(32)
    return False


def _thaw() -> None:
    """Let Python's last collection see all where something is left that has to be ended, such as a file.

    What is frozen costs a command nothing at its end, but nothing that hangs on it ends either.
    """
    if any(hasattr(type(found), "__del__") for found in gc.get_objects()):
        gc.unfreeze()


class _Launch:
    """What the commands run, and what Python makes of it before it runs: `__main__` and `sys.path`."""

    def __init__(self, words: list[str]) -> None:
        self.is_module = words[-2] == "-m"
        self.target = words[-1]
        main = type(sys)("__main__")
        main.__dict__.clear()
        main.__dict__.update({name: value for name, value in _BORN.items() if name not in _LATE})
        main.__dict__["__doc__"] = None
        if "__annotations__" in main.__dict__:
            main.__annotations__ = {}
        main.__loader__ = sys.__loader__
        if not self.is_module:
            self._file = _absolute(self.target)
            main.__loader__ = type(_BORN["__loader__"])("__main__", self._file)
            main.__dict__.update({name: _BORN[name] for name in _LATE if name in _BORN})
            main.__file__ = self._file
            sys.path_importer_cache[self._file] = None  # as Python has looked whether it is a folder or zip
        self.main = sys.modules["__main__"] = main
        if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
            folder = os.path.dirname(os.path.realpath(self.target))
            sys.path.insert(0, os.getcwd() if self.is_module else folder)
        sys.argv[:] = ["-m" if self.is_module else self.target]

    def load(self, name: str) -> None:
        """Import a module; the one that is to run is made to be imported again."""
        __import__(name)
        if self.is_module and name == self.target:
            parent, _, last = name.rpartition(".")
            del sys.modules[name]
            if parent and hasattr(sys.modules[parent], last):
                delattr(sys.modules[parent], last)

    def compiled(self) -> CodeType | None:
        """Return the script as it is now; None for a module, which is for runpy to find.

        Raises OSError, SyntaxError or ValueError where this is for Python's own start to deal with.
        """
        if self.is_module:
            return None
        with open(self._file, "rb") as file:
            source = file.read()
        return compile(source, self._file, "exec", dont_inherit=True)


def _absolute(path: str) -> str:
    """Return the path that Python makes of a script's."""
    if sys.version_info < (3, 9) or path.startswith("/"):
        return path
    return os.path.join(os.getcwd(), path)


def _tasks() -> list[str]:
    """Return the names of the threads of this process that would be missing in a copy."""
    main = str(os.getpid())
    names = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/comm", encoding="utf-8", errors="replace") as file:
                name = file.read().strip()
        except OSError:
            continue
        if task != main and name not in _HARMLESS:
            names.append(name)
    threading: Any = sys.modules.get("threading")
    if threading:
        known = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
        names[: len(known)] = known
    return sorted(names)


def _handles() -> list[str]:
    """Return what this process has open, but for devices."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue  # the listing's own
        if path.startswith(_SHARED) or not path.startswith(("/dev/", "/proc/", "/sys/")):
            found.append(path)
    return found


def _is_shared() -> bool:
    """Tell whether this process maps memory that it would share with its copies."""
    with open("/proc/self/maps", "rb") as file:
        return any(line.split(None, 2)[1][1:4:2] == b"ws" for line in file)


def _has_children() -> bool:
    """Tell whether this process has started others that it has not waited for."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _fork() -> int:
    """Fork; newer Pythons warn of threads, and there are none but harmless ones."""
    if sys.hexversion < 0x30C0000:
        return os.fork()
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()


def _load(launch: _Launch, request: dict[str, Any], environment: _Environment, chance: _Chance) -> None:
    """Import the modules; raises Refusal where what they leave behind cannot be copied."""
    handles, folder = _handles(), os.getcwd()
    asked = environment.watch(request["own"])
    try:
        for name in request["modules"]:
            what = f"preload of {name!r}"
            try:
                launch.load(name)
            except BaseException as error:  # noqa: BLE001  (SystemExit too: no command may end by it)
                first = str(error).split("\n")[0]
                msg = f"{what} failed: {type(error).__name__}{': ' if first else ''}{first}"
                raise Refusal(msg) from None
            if harm := _harm(asked, handles, folder) or chance.harm():
                msg = f"{what} {harm}"
                raise Refusal(msg)
    finally:
        environment.settle()
        chance.settle()


def _harm(asked: set[bytes], handles: list[str], folder: str) -> str:
    """Say what an import has done that makes copies of this process differ from a fresh one."""
    if b"*" in asked:
        return "reads the whole environment, of which every combination has its own"
    if asked:
        return f"reads the variable {os.fsdecode(min(asked))}, of which every combination has its own"
    if os.getcwd() != folder:
        return "changes the working folder"
    left = _handles()
    for path in handles:
        if path in left:
            left.remove(path)
    if left:
        return f"keeps open {min(left)}"
    if _is_shared():
        return "makes memory that commands would share, as a lock between processes is"
    if _has_children():
        return "leaves a process running"
    child = _fork()  # some libraries end their threads when a process forks
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    deadline = time.monotonic() + _PATIENCE
    while (threads := _tasks()) and time.monotonic() < deadline:
        time.sleep(0.02)
    if not threads:
        return ""
    count = "a thread" if len(threads) == 1 else f"{len(threads)} threads"
    return f"starts {count} ({', '.join(threads)})"


def _keep() -> None:
    """Keep the functions and classes of installed libraries, so that no command gives them back at its end.

    One by one, that would take a quarter of a short command's time. A circle that is frozen stays when nobody
    knows of it any more. What holds data, and all that is a project's own, ends as ever.
    """
    circle: list[Any] = []
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and any(folder in file for folder in _INSTALLED):
            values = list(vars(module).values())
            circle += [value for value in values if isinstance(value, (type, type(_keep)))]
    circle.append(circle)
    gc.collect()
    gc.freeze()


def _serve(wire: _Wire) -> tuple[dict[str, Any], int, int]:
    """Fork for every request; returns in each process that is to be a command.

    Returns the request, the log's file descriptor, and the process between, after whose end the guard is
    this process's parent.
    """
    while True:
        request, log = wire.receive()
        try:
            child = _fork()
            if child == 0:
                between = os.getpid()
                try:
                    if _fork():
                        os._exit(0)
                except OSError as error:
                    wire.send({"error": f"its template cannot fork: {error.strerror}"})
                    os._exit(1)
                return request, log, between
        except OSError as error:
            wire.send({"error": f"its template cannot fork: {error.strerror}"})
        else:
            os.waitpid(child, 0)
        os.close(log)


def _become(request: dict[str, Any], log: int, memory: _Memory, environment: _Environment) -> None:
    """Be a process like any that the guard starts, as far as others see it."""
    os.setsid()
    printed = os.pread(1, os.fstat(1).st_size, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(request["cwd"])
    environment.become(request["env"])
    memory.tell(request["argv"], request["own"])
    while printed:  # what a cold start would print, too
        printed = printed[os.write(1, printed) :]


def _await_adoption(between: int) -> None:
    while os.getppid() == between:
        time.sleep(0.0002)


def main(handle: int) -> tuple[CodeType | None, _Launch]:
    """Serve the guard over the socket `handle`; returns in every process that is to be a command."""
    wire = _Wire(handle)
    first, _ = wire.receive()
    wire.end_with_guard(at_once=True)
    atexit.register(_thaw)  # the first, so it is called last
    for name in set(sys.modules) - _LOADED:
        del sys.modules[name]
    for path in (__file__, os.path.dirname(__file__)):
        sys.path_importer_cache.pop(path, None)
    environment = _Environment()
    try:
        memory = _Memory()
        launch = _Launch(first["words"])
        chance = _Chance()
        _load(launch, first, environment, chance)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except Refusal as refusal:
        wire.send({"refused": str(refusal)})
        os._exit(0)
    _keep()
    wire.end_with_guard(at_once=False)
    wire.send({"refused": ""})
    request, log, between = _serve(wire)
    try:
        try:
            _become(request, log, memory, environment)
            _await_adoption(between)
        except (OSError, ValueError, Refusal) as error:
            wire.send({"error": str(error)})
            os._exit(1)
        wire.send({"pid": os.getpid()})
    except OSError:  # the guard is dead
        os._exit(1)
    wire.close()
    return _begin(request, launch, chance), launch


def _begin(request: dict[str, Any], launch: _Launch, chance: _Chance) -> CodeType | None:
    """Return what is to run, once everything that Python has ready for it is there.

    What cannot be read or compiled is left to a Python that starts anew, in the place of this process.
    """
    chance.become_fresh()
    argv = [os.fsdecode(word) for word in request["argv"]]
    sys.argv[1:] = argv[request["head"] :]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = argv
    logging: Any = sys.modules.get("logging")
    if logging:
        logging._startTime = (time.time_ns if isinstance(logging._startTime, int) else time.time)()
    threading: Any = sys.modules.get("threading")
    if threading and hasattr(threading.main_thread(), "_set_native_id"):
        threading.main_thread()._set_native_id()  # before Python 3.13 a fork leaves the old one
    try:
        return launch.compiled()
    except (OSError, SyntaxError, ValueError, MemoryError, RecursionError):
        os.execve(sys.executable, request["argv"], dict(request["env"]))  # noqa: S606


def _leave() -> None:
    """Take away what Python takes away when a script is through."""
    main = sys.modules.get("__main__")
    for name in _LATE if main else ():
        vars(main).pop(name, None)


def _hide() -> None:
    """Have an exception shown as if nothing of ours had been above the script."""
    original = getattr(sys, "excepthook", None)
    if original is None:
        return

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.excepthook = original
        while trace and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        error.__traceback__ = trace
        if hasattr(sys, "last_traceback"):
            sys.last_traceback = trace
        try:
            original(kind, error, trace)
        finally:
            _leave()

    sys.excepthook = hook


if __name__ == "__main__":
    _code, _launch = main(int(sys.argv[1]))
    _target, _space = _launch.target, vars(_launch.main)
    del _launch
    try:
        if _code is None:
            del _space
            import runpy

            runpy._run_module_as_main(_target)  # type: ignore[attr-defined]
        else:
            exec(globals().pop("_code"), globals().pop("_space"))  # noqa: S102  (which nobody else holds)
            _leave()
    except SystemExit:
        raise
    except BaseException:
        _hide()
        raise
