"""The process of a `call` job: import a function, call it with the combination's arguments.

Run as ``python -m sweeplib.run.call package.module.function --style list|kwargs -- ARGUMENT…`` in the
project's folder. A mapping of names to numbers that the function returns becomes the attempt's
metrics.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from sweeplib.errors import nearest
from sweeplib.run.files import write_atomically
from sweeplib.run.tree import MARK
from sweeplib.syntax.typed import typed

__all__ = ["call", "main"]

_USAGE = "usage: python -m sweeplib.run.call package.module.function --style list|kwargs -- ARGUMENT…"
_FAILED, _BAD_INPUT = 1, 2


class _CallError(Exception):
    """The function cannot be called; the text says why, `exit_code` is what the process ends with."""

    def __init__(self, message: str, exit_code: int = _FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def main(arguments: list[str]) -> int:
    """Call the function that the arguments name; return the exit code of the process."""
    try:
        name, style, texts = _parse(arguments)
        _prefer_folder(Path.cwd())
        sys.argv = [name, *texts]
        function = _load(name)
        args, kwargs = _bind(name, function, style, texts)
    except _CallError as error:
        _say(str(error))
        return error.exit_code
    return call(name, function, args, kwargs, os.environ.get(MARK))


def call(
    name: str,
    function: Callable[..., object],
    args: list[object],
    kwargs: dict[str, object],
    path: str | None,
) -> int:
    """Call a function, and write what it returns to `path`; return the exit code of the process.

    The path is known before: the function may change its environment.
    """
    try:
        result = function(*args, **kwargs)
        if inspect.iscoroutine(result):
            import asyncio  # which few functions need

            result = asyncio.run(result)
    except Exception as error:  # noqa: BLE001  whatever it is, it is shown as Python shows it
        frames = error.__traceback__.tb_next if error.__traceback__ else None
        traceback.print_exception(error.with_traceback(frames))
        return _FAILED
    if inspect.isgenerator(result) or inspect.isasyncgen(result):
        _say(f"cannot call {name}: it is a generator, of which nothing has run; return a mapping instead")
        return _FAILED
    return _keep(result, path)


def _parse(arguments: list[str]) -> tuple[str, str, list[str]]:
    match arguments:
        case [name, "--style", "list" | "kwargs" as style, "--", *texts]:
            return name, style, texts
    raise _CallError(_USAGE, _BAD_INPUT)


def _prefer_folder(folder: Path) -> None:
    """Let modules of the project be found first, also where Python was told not to."""
    if sys.path[:1] != [str(folder)]:
        sys.path.insert(0, str(folder))


def _load(name: str) -> Callable[..., object]:
    module_name, _, attribute = name.rpartition(".")
    if not module_name:
        raise _CallError(f"cannot call {name!r}: expected package.module.function")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise _CallError(f"cannot call {name}: {error}") from error
    function: Callable[..., object] | None = getattr(module, attribute, None)
    if function is None:
        hint = nearest(attribute, [key for key, value in vars(module).items() if callable(value)])
        raise _CallError(f"cannot call {name}: module {module_name!r} has no function {attribute!r}{hint}")
    if not callable(function):
        raise _CallError(f"cannot call {name}: it is no function but of type {type(function).__name__}")
    return function


def _bind(
    name: str, function: Callable[..., object], style: str, texts: list[str]
) -> tuple[list[object], dict[str, object]]:
    """Return the positional and keyword arguments, after a look at whether the function takes them."""
    args: list[object] = [texts] if style == "list" else []
    kwargs: dict[str, object] = {}
    for text in texts if style == "kwargs" else ():
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise _CallError(f"cannot call {name}: expected key=value, not {text!r}", _BAD_INPUT)
        kwargs[key] = typed(value)
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        raise _CallError(f"cannot call {name}: {error}", _BAD_INPUT) from error
    except ValueError:  # a function in C that does not tell its parameters
        pass
    return args, kwargs


def _keep(result: object, path: str | None) -> int:
    """Write the numbers of a returned mapping where the guard looks for them; return the exit code."""
    if result is None:
        return 0
    if not isinstance(result, Mapping):
        _say(f"note: the returned {type(result).__name__} is no mapping of names to numbers, and is ignored")
        return 0
    numbers = {
        key: value for key in result if isinstance(key, str) and (value := _number(result[key])) is not None
    }
    left_out = [str(key) for key in result if key not in numbers]
    if left_out:
        _say(f"note: these returned values are no numbers, and are ignored: {', '.join(left_out)}")
    if path and numbers:
        try:
            write_atomically(path, json.dumps(numbers))
        except OSError as error:
            _say(f"the returned numbers cannot be written: {error}")
            return _FAILED
    return 0


def _number(value: object) -> float | None:
    """Return a number of any library as a float: of Python, NumPy, or a tensor with one element."""
    if isinstance(value, str | bytes) or not hasattr(value, "__float__"):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
