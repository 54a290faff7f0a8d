"""A combination's command: its argument vector, and its lines for a person or a file.

Never a shell text, but for the lines of a `launch` job, which are nothing else: a command is a list of
arguments, and a line is that list quoted for a shell.

| style  | what a combination adds to the words of the command                                        |
| ------ | ------------------------------------------------------------------------------------------ |
| hydra  | ``--multirun k=v … hydra.job.name=JOB hydra.sweep.dir=multirun/ULID ADD``                   |
| plain  | ``k=v … ADD``                                                                               |
| flags  | ``--k=v … ADD``                                                                             |
| kwargs | (``call`` only) ``k=v …`` as keyword arguments                                              |

Extra arguments of the command line stand between the words and these. A value keeps its quotes for
Hydra, which reads them itself; elsewhere they have done their work and are taken off.
"""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.plan import Combination, Command, Line, Part
from sweeplib.plan.rows import Grid
from sweeplib.syntax import unquote
from sweeplib.syntax.product import product
from sweeplib.ulids import ulids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sweeplib.plan import Plan
    from sweeplib.plan.rows import Rows
    from sweeplib.syntax import Cell

__all__ = ["argv", "call_text", "environment", "lines", "parameter_lines", "submit_argv"]


_SHELL = ("/bin/sh", "-c")


def _hydra(cell: Cell) -> str:
    return f"{cell.key}={cell.value}"


def _plain(cell: Cell) -> str:
    return f"{cell.key}={unquote(cell.value)}"


def _flag(cell: Cell) -> str:
    return f"--{cell.key}={unquote(cell.value)}"


_RENDER: dict[str, Callable[[Cell], str]] = {
    "hydra": _hydra,
    "plain": _plain,
    "flags": _flag,
    "kwargs": _hydra,
}


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands around the parameters of a combination."""

    head: tuple[str, ...]
    tail: tuple[str, ...]
    add: tuple[str, ...]
    generated: str | None

    @classmethod
    def of(cls, plan: Plan, add: tuple[str, ...]) -> _Frame:
        """Return the frame that ends with `add`; `generated` is what a ULID is to be appended to."""
        if plan.job.style != "hydra":
            return cls((), (), add, None)
        return cls(("--multirun",), (f"hydra.job.name={plan.job.name}",), add, "hydra.sweep.dir=multirun/")

    def around(self, middle: Sequence[str], ulid: str) -> tuple[str, ...]:
        """Return all arguments of a combination."""
        generated = (self.generated + ulid,) if self.generated is not None else ()
        return (*self.head, *middle, *self.tail, *generated, *self.add)


def _words(plan: Plan) -> tuple[str, ...]:
    return (*plan.job.words, *plan.arguments)


def argv(plan: Plan, combination: Combination | Line | Command, ulid: str) -> tuple[str, ...]:
    """Return the argument vector of a combination of a `run`, `call` or `launch` job.

    A called function runs in a Python process of its own; its module is found from the working folder. A line
    of a `launch` job is the shell's to read: nothing else is ever given to one.
    """
    if isinstance(combination, Line):
        return (*_SHELL, combination.text)
    if isinstance(combination, Command):
        return combination.argv
    rest = _rest(plan, combination, ulid)
    words = _words(plan)
    if plan.job.kind != "call":
        return (*words, *rest)
    style = "kwargs" if plan.job.style == "kwargs" else "list"
    return (sys.executable, "-m", "sweeplib.run.call", words[0], "--style", style, "--", *words[1:], *rest)


def _rest(plan: Plan, combination: Combination, ulid: str) -> tuple[str, ...]:
    """Return what a combination adds to the words of the command."""
    render = _RENDER[plan.job.style]
    frame = _Frame.of(plan, plan.needs(combination).add)
    return frame.around([render(cell) for cell in combination.cells], ulid)


def submit_argv(plan: Plan, file: str) -> tuple[str, ...]:
    """Return the argument vector of a `submit` job: its words, and the file's path as the last argument."""
    return (*_words(plan), file)


def environment(project: Path) -> dict[str, str]:
    """Return what every command of a project gets in its environment before the job's own `env`.

    Where `sweep` itself runs from a virtual environment inside the project, and no other one is active,
    the word ``python`` of a command means that environment's, as if it had been activated.
    """
    prefix = Path(sys.prefix)
    active = os.environ.get("VIRTUAL_ENV") or os.environ.get("CONDA_PREFIX")
    if active or sys.prefix == sys.base_prefix or not prefix.is_relative_to(project):
        return {}
    path = os.pathsep.join([str(prefix / "bin"), *filter(None, [os.environ.get("PATH")])])
    return {"PATH": path, "VIRTUAL_ENV": sys.prefix}


def parameter_lines(plan: Plan) -> Iterator[str]:
    """Yield a shell-quoted line a combination, without the command: the content of a submit file."""
    fresh = ulids()
    for part in plan.parts:
        if isinstance(part, Part):
            yield from _quoted(plan, part, fresh)


def lines(plan: Plan, submit_file: str = "submit.txt") -> Iterator[str]:
    """Yield the shell-quoted commands of a job, one a line, as a stream.

    A `call` job is shown as the call it is; a `submit` job is its one command, then the lines of its file.
    """
    if plan.job.kind == "launch":
        yield from (each.text for each in plan if isinstance(each, Line))
        return
    if plan.job.kind == "call":
        yield from _calls(plan)
        return
    if plan.job.kind == "submit":
        yield shlex.join(submit_argv(plan, submit_file))
        yield from parameter_lines(plan)
        return
    words = shlex.join(_words(plan))
    for line in parameter_lines(plan):
        yield f"{words} {line}" if line else words


def _quoted(plan: Plan, part: Part, fresh: Iterator[str]) -> Iterator[str]:
    """Yield a part's lines; quoting is done once a value, not once a line, where all end in the same way."""
    if part.add is None:
        for combination in part.combinations(0):
            yield shlex.join(_rest(plan, combination, next(fresh)))
        return
    render = _RENDER[plan.job.style]
    frame = _Frame.of(plan, part.add)
    before = "".join(f"{shlex.quote(text)} " for text in frame.head)
    constant = "".join(f" {shlex.quote(text)}" for text in [*map(render, part.constant), *frame.tail])
    add = "".join(f" {shlex.quote(text)}" for text in frame.add)
    rows = _quoted_rows(part.rows, render)
    if frame.generated is None:
        for row in rows:
            yield f"{before}{' '.join(row)}{constant}{add}".strip()
        return
    middle = f"{constant} {frame.generated}"
    for row in rows:
        text = " ".join(row) if row else middle.lstrip()
        yield f"{before}{text}{middle if row else ''}{next(fresh)}{add}"


def _quoted_rows(rows: Rows, render: Callable[[Cell], str]) -> Iterator[Sequence[str]]:
    if isinstance(rows, Grid) and rows.plain:
        return product([_Quoted(column, render) for column in rows.columns])  # type: ignore[arg-type]
    return ([shlex.quote(render(cell)) for cell in row] for row in rows)


def _calls(plan: Plan) -> Iterator[str]:
    fresh = ulids()
    for combination in plan:
        if isinstance(combination, Combination):
            yield call_text(plan, combination, next(fresh))


def call_text(plan: Plan, combination: Combination, ulid: str) -> str:
    """Return the call of a `call` job's combination as Python would write it: ``function(arguments)``."""
    name, *first = _words(plan)
    given = [*first, *_rest(plan, combination, ulid)]
    return f"{name}({_keywords(given) if plan.job.style == 'kwargs' else given})"


def _keywords(words: Sequence[str]) -> str:
    """Return the words as the keyword arguments of the call, of which a later one replaces an earlier one."""
    from sweeplib.syntax.typed import typed  # which only these lines need

    found = dict(word.partition("=")[::2] for word in words)
    return ", ".join([f"{key}={typed(value)!r}" for key, value in found.items()])


@dataclass(frozen=True, slots=True)
class _Quoted:
    """A column whose cells are rendered and quoted as they are read."""

    column: Sequence[Cell]
    render: Callable[[Cell], str]

    def __len__(self) -> int:
        return len(self.column)

    def __iter__(self) -> Iterator[str]:
        render, quote = self.render, shlex.quote
        for cell in self.column:
            yield quote(render(cell))
