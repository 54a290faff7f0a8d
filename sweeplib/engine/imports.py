"""Which files of a project a Python program imports, found by reading its text: nothing is run.

An ``import`` counts wherever it stands, also in a function. What is imported by a name that is put together
while the program runs is not found.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from sweeplib.syntax.python_text import module

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Imports"]

_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")
_Name = tuple[int, tuple[str, ...]]  # dots before it, and its parts


class Imports:
    """Finds files of the project in `folder`; what it has read of them it reads once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[Path, tuple[_Name, ...]] = {}
        self._found: dict[tuple[Path, tuple[str, ...]], tuple[Path, ...]] = {}

    def of_script(self, script: Path) -> set[Path]:
        """Return a script and all that it imports, directly or not; modules beside it come first."""
        return self._reached([script], (script.parent, *self._roots))

    def of_module(self, name: str) -> set[Path]:
        """Return a module that is found from the project's folder, and all that it imports."""
        parts = tuple(name.split("."))
        found = [*self._resolved(parts, self._roots), *self._resolved((*parts, "__main__"), self._roots)]
        return self._reached(found, self._roots)

    @property
    def _roots(self) -> tuple[Path, Path]:
        return self._folder, self._folder / "src"

    def _reached(self, begin: Iterable[Path], roots: Sequence[Path]) -> set[Path]:
        seen: set[Path] = set()
        waiting = list(begin)
        while waiting:
            path = waiting.pop()
            if path in seen or not path.is_relative_to(self._folder):
                continue
            seen.add(path)
            for level, parts in self._imported(path):
                if level:
                    base = path.parents[level - 1] if level <= len(path.parents) else path.parent
                    waiting += self._files(base, parts)
                else:
                    waiting += self._resolved(parts, roots)
        return seen

    def _resolved(self, parts: tuple[str, ...], roots: Iterable[Path]) -> tuple[Path, ...]:
        """Return the files of a module in the first of the folders that has any of it."""
        return next((found for root in roots if (found := self._files(root, parts))), ())

    def _files(self, folder: Path, parts: tuple[str, ...]) -> tuple[Path, ...]:
        """Return the files that are loaded for a name: those of its packages, and its own."""
        known = self._found.get((folder, parts))
        if known is None:
            found = []
            here = folder
            for part in parts:
                package, module = here / part / "__init__.py", here / f"{part}.py"
                if not package.is_file() and module.is_file():
                    found.append(module)
                    break
                here = here / part
                if package.is_file():
                    found.append(package)
                elif not here.is_dir():
                    break
            known = self._found[folder, parts] = tuple(found)
        return known

    def _imported(self, path: Path) -> tuple[_Name, ...]:
        if path not in self._names:
            try:
                tree = module(path.read_bytes())
            except (OSError, SyntaxError, ValueError, RecursionError):
                names: tuple[_Name, ...] = ()
            else:
                names = tuple(dict.fromkeys(_names(tree.body)))
            self._names[path] = names
        return self._names[path]


def _names(statements: Iterable[ast.AST]) -> Iterator[_Name]:
    """Yield what statements import, those inside them too."""
    waiting = list(statements)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = tuple(node.module.split(".")) if node.module else ()
            for alias in node.names:
                yield node.level, (*base, alias.name)
        else:
            for field in _BODIES:
                waiting += getattr(node, field, ())
