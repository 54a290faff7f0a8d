"""The files that the commands of a plan are: their scripts, and what these import from the project.

The script of a command is what Python is to run, or else the first of its words that names a file of the
project, be it the program itself (``./simulate``) or what another one reads (``sh work.sh``). Other words are
not looked at: commands write files, too. Files and folders beside the file of a variant, and called as it is
(``backends/polars.py`` beside ``backends/polars.yaml``), belong to its combinations.
"""

from __future__ import annotations

import os
import shlex
from functools import cached_property
from hashlib import blake2b, file_digest
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.engine.imports import Imports
from sweeplib.interpreter import head_length
from sweeplib.jobs.load import NAMES
from sweeplib.plan import Command, Line
from sweeplib.plan.rows import names_of
from sweeplib.syntax import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sweeplib.jobs import Group
    from sweeplib.plan import Combination, Plan

__all__ = ["Sources"]

_LINES = 100_000  # lines of a file of commands that are looked through
_YAML = (".yaml", ".yml")
_PEOPLE = (".md", ".rst")  # endings of what is written for people
_DIGEST = 16  # bytes


class Sources:
    """What a plan's commands are made of, file by file.

    A *source* is what files belong to: a script as the command has it, a module (``-m package.train``), or a
    value of a group (``backend=polars``).
    """

    def __init__(self, plan: Plan, project: Path) -> None:
        self._plan = plan
        self._project = project
        self._imports = Imports(project)
        self._hashes: dict[Path, str | None] = {}
        self._files: dict[str, tuple[Path, ...]] = {}
        self._of_text: dict[str, tuple[str, ...]] = {}

    def of(self, combination: Combination | Line | Command) -> tuple[str, ...]:
        """Return the sources of a combination."""
        if isinstance(combination, Line):
            return self._of_line(combination.text)
        if isinstance(combination, Command):
            return self._of_words(combination.argv)
        if not self._variants:
            return self._common
        cells = [cell for cell in combination.cells if cell.key in self._variants]
        return (*self._common, *[f"{cell.key}={unquote(cell.value)}" for cell in cells])

    def of_plan(self) -> tuple[str, ...]:
        """Return the sources of a plan that is one command."""
        return (
            *self._common,
            *[f"{name}={each}" for name, known in self._variants.items() for each in known],
        )

    def hashes(self) -> dict[str, dict[str, str]]:
        """Return the digest of every file's content, by its path, by source.

        Paths are from the project's folder; a variant's file that is elsewhere has its absolute one.
        """
        for source in self._all():
            self._files.setdefault(source, ())
        found = {}
        for source, files in self._files.items():
            digests = {path: digest for path in files if (digest := self._hash(path)) is not None}
            if digests:
                found[source] = {self._named(path): digests[path] for path in sorted(digests)}
        return found

    def concerns(self, path: str, sources: Iterable[str]) -> bool:
        """Tell whether a file of the project that is in no source may be read by a combination with these.

        Not the job file, whose meaning is in the combination's key, nor what is there for people or for git,
        nor what belongs to another variant.
        """
        name = path.rpartition("/")[2]
        if path in self._not_read or path.startswith(".git") or name.startswith((".git", "LICENSE")):
            return False
        if name.endswith(_PEOPLE):
            return False
        owner = self._owner(path)
        return owner is None or (owner in sources and not (path.endswith(_YAML)))

    def _all(self) -> Iterator[str]:
        plan = self._plan
        if plan.job.kind == "launch" or not plan.parts:
            for combination in islice(plan, _LINES):
                yield from self.of(combination)
        else:
            yield from self._common
        for parameter, variants in self._variants.items():
            for name, files in variants.items():
                self._files[f"{parameter}={name}"] = files
                yield f"{parameter}={name}"

    @cached_property
    def _common(self) -> tuple[str, ...]:
        job = self._plan.job
        if job.kind == "call":
            return self._module(job.words[0].rpartition(".")[0])
        return self._of_words((*job.words, *self._plan.arguments))

    @cached_property
    def _variants(self) -> Mapping[str, Mapping[str, tuple[Path, ...]]]:
        """The files of variants, by parameter and name, without those that are read with the job file."""
        return {
            name: {each: self._beside(self._project / self._folders[name], each) for each in group.variants}
            for name, group in self._groups.items()
        }

    @cached_property
    def _folders(self) -> Mapping[str, str]:
        """The folders of the groups, as they are found from the project's, by parameter."""
        return {name: self._found(group.path) for name, group in self._groups.items()}

    @cached_property
    def _groups(self) -> Mapping[str, Group]:
        """The groups that sets of the plan use."""
        names = {key for set_ in self._plan.sets for key in names_of(set_)}
        known = {name: group for set_ in self._plan.sets for name, group in set_.groups.items()}
        return {name: group for name, group in known.items() if name in names}

    def _beside(self, folder: Path, variant: str) -> tuple[Path, ...]:
        found: dict[Path, None] = {}
        for path in _beside(folder, variant):
            found[path] = None
            if path.suffix == ".py":
                found |= dict.fromkeys(self._imports.of_script(path))
        return tuple(found)

    @cached_property
    def _not_read(self) -> frozenset[str]:
        launch = self._plan.job.launch
        return frozenset([*NAMES, self._found(launch)])

    def _found(self, written: str) -> str:
        """Return a path of the job file as it is found from the project's folder, which may be in it."""
        return self._named(Path(os.path.normpath(written)))

    def _named(self, path: Path) -> str:
        """Return a path from the project's folder; one that is absolute and leads elsewhere as it is."""
        inside = path.is_relative_to(self._project)
        return (path.relative_to(self._project) if inside else path).as_posix()

    def _owner(self, path: str) -> str | None:
        """Return the variant that a file belongs to, as a source; None where it is none's."""
        for parameter, folder in self._folders.items():
            if path.startswith(f"{folder}/"):
                first, _, rest = path[len(folder) + 1 :].partition("/")
                name = first if rest else Path(first).stem
                if name in self._variants[parameter]:
                    return f"{parameter}={name}"
        return None

    def _of_line(self, text: str) -> tuple[str, ...]:
        if text not in self._of_text:
            found = [source for words in _commands(text) for source in self._of_words(words)]
            known = tuple(dict.fromkeys(found))
            if len(self._of_text) < _LINES:
                self._of_text[text] = known
            return known
        return self._of_text[text]

    def _of_words(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return the source of a command: at most one."""
        for start in range(len(words)):
            length = head_length(words[start:])
            if length is not None:
                what = words[start + length - 1]
                return self._module(what) if words[start + length - 2] == "-m" else self._script(what)
        for word in words:
            if found := self._script(word):
                return found
        lines = [word for word in words if " " in word]
        return self._of_line(lines[0]) if lines and len(words) > 1 else ()

    def _script(self, word: str) -> tuple[str, ...]:
        if word in self._files:
            return (word,)
        path = Path(os.path.normpath(self._project / word))
        if not self._has(path):
            path = path / "__main__.py"
            if not self._has(path):
                return ()
        python = path.suffix == ".py"
        self._files[word] = tuple(self._imports.of_script(path)) if python else (path,)
        return (word,)

    def _module(self, name: str) -> tuple[str, ...]:
        source = f"-m {name}"
        if source not in self._files:
            self._files[source] = tuple(self._imports.of_module(name))
        return (source,) if self._files[source] else ()

    def _has(self, path: Path) -> bool:
        """Tell whether there is such a file in the project, and in no hidden folder (an environment's)."""
        if not path.is_relative_to(self._project):
            return False
        hidden = any(part.startswith(".") for part in path.relative_to(self._project).parts)
        try:
            return not hidden and path.is_file()
        except (OSError, ValueError):  # a name that is too long, or no name
            return False

    def _hash(self, path: Path) -> str | None:
        if path not in self._hashes:
            try:
                with path.open("rb") as file:
                    self._hashes[path] = file_digest(file, _hash).hexdigest()
            except OSError:
                self._hashes[path] = None
        return self._hashes[path]


def _hash() -> blake2b:
    return blake2b(digest_size=_DIGEST)


def _beside(folder: Path, name: str) -> Iterator[Path]:
    """Yield the files of a variant but that which is read with the job file."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name == name:
            yield from (each for each in sorted(path.rglob("*")) if each.is_file() and each.suffix != ".pyc")
        elif path.is_file() and path.suffix not in _YAML and path.stem == name:
            yield path


def _commands(line: str) -> Iterator[list[str]]:
    """Yield the words of the commands in a shell line, without the files that it redirects to or from."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        tokens = iter(list(lexer))
    except ValueError:
        return
    words: list[str] = []
    for token in tokens:
        if token.strip("();<>|&"):
            words.append(token)
        elif "<" in token or ">" in token:
            next(tokens, None)
        else:
            yield words
            words = []
    yield words
