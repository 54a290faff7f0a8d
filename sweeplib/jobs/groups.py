"""Groups: parameters whose values are files, each a variant with what belongs to it.

``groups: {backend: backends/}`` says that the values of `backend` are the files ``backends/NAME.yaml``. To
add a variant is to add a file. In `each`, a value with ``*``, ``?`` or ``[…]`` stands for all variants that
match, and one that begins with ``!`` takes those that match it away, if there are any. A variant may bring
another group, whose variants bring theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.errors import InputError, JobFileError, Place, PlanError, nearest
from sweeplib.jobs import fields
from sweeplib.jobs.notes import Notes
from sweeplib.jobs.origin import Origin
from sweeplib.jobs.packages import packages
from sweeplib.jobs.resources import Resources, resources
from sweeplib.jobs.schema import Mistakes, Model, key
from sweeplib.jobs.where import read_where
from sweeplib.jobs.yaml_file import read
from sweeplib.syntax import Argument, Entries, parse_all, parse_each, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sweeplib.jobs.units import Multiple
    from sweeplib.where import Where

__all__ = ["SUFFIXES", "Group", "Variant", "brought", "groups"]

SUFFIXES = (".yaml", ".yml")
"""What the names of variants' files end in."""

_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True, kw_only=True)
class Variant(Model):
    """What belongs to one value of a group: parameters of its own, and what its combinations need."""

    each: str = key(fields.selection, "")
    all: str = key(fields.all_, "")
    add: str = key(fields.add, "")
    packages: tuple[str, ...] = key(packages, (), name="with")
    resources: Resources = key(resources, Resources())
    timeout: float | Multiple | None = key(fields.timeout, None)
    env: Mapping[str, str] = key(fields.environment, {})
    where: Where | None = key(read_where, None)
    origin: Origin = field(default=Origin(), compare=False, repr=False)

    @cached_property
    def files(self) -> Mapping[str, str]:
        """The parameters of its own, each with the file that this is in."""
        swept = (name for argument in parse_each(self.each) for name in argument.keys)
        names = (*swept, *(cell.key for cell in parse_all(self.all)))
        return dict.fromkeys(names, self.origin.place().file or "a variant")

    def place(self, name: str) -> Place:
        """Return where a parameter of its own stands."""
        return self.origin.place("all" if any(cell.key == name for cell in parse_all(self.all)) else "each")

    @cached_property
    def columns(self) -> tuple[tuple[str, Argument | Entries], ...]:
        """What is multiplied for it, as it is written: columns, each with the key that it is of."""
        swept = (("each", argument) for argument in parse_each(self.each))
        return (*swept, *(("all", Entries(((cell,),))) for cell in parse_all(self.all)))


def groups(value: object) -> dict[str, str]:
    """Return the folders of a job's groups, by parameter; raises `InputError`."""
    if not isinstance(value, Mapping):
        but = "" if value is None else f", not {value!r}"
        raise InputError(f"must be a mapping from parameters to folders, such as {{backend: backends/}}{but}")
    for name, folder in value.items():
        if not isinstance(folder, str) or not folder.strip():
            raise InputError(f"{name} needs a folder with a file for each variant, such as {name}s/")
        parsed = parse_each(f"{name}=1")
        if [argument.keys for argument in parsed] != [(name,)]:
            raise InputError(f"{name!r} cannot be a parameter's name")
    return {name: folder.strip() for name, folder in value.items()}


@dataclass(frozen=True)
class Group:
    """A parameter whose values are the files of a folder; `path` is as it is written in the job file.

    `place` is where that is.
    """

    name: str
    path: str
    folder: str
    place: Place | None = None

    @cached_property
    def variants(self) -> Mapping[str, Variant]:
        """The variants by name, in the order of the alphabet; raises `JobFileError`."""
        folder = Path(self.folder, self.path)
        try:
            files = sorted(path for path in folder.iterdir() if _is_variant(path.name))
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise JobFileError(f"the folder {self.path} of group {self.name!r}: {why}", self.place) from None
        found: dict[str, Variant] = {}
        for path in files:
            shown = f"{self.path.rstrip('/')}/{path.name}"
            if path.stem in found:
                raise JobFileError(f"there is a variant {path.stem!r} already; keep one file", Place(shown))
            found[path.stem] = variant = _read(path, shown)
            if self.name in variant.files:
                text = f"the parameter {self.name!r} is the group that this is a variant of; take it out"
                raise JobFileError(text, variant.place(self.name))
        if not found:
            example = f"{self.path.rstrip('/')}/NAME.yaml"
            raise JobFileError(f"group {self.name!r} has no variants; write one as {example}", self.place)
        return found

    def choose(self, values: Sequence[str]) -> list[str]:
        """Return the variants that values mean, each once; raises `PlanError`.

        What is taken away does not have to be there: a variant's file can go before its exception does.
        """
        found: dict[str, None] = {}
        for value in map(unquote, values):
            if value.startswith("!"):
                for name in self._matching(value[1:]):
                    found.pop(name, None)
                continue
            names = self._matching(value)
            if not names:
                raise PlanError(self._missing(value))
            found |= dict.fromkeys(names)
        if not found:
            text = f"group {self.name!r}: the patterns leave none of {', '.join(self.variants)}"
            away = [value for value in map(unquote, values) if value.startswith("!")]
            if len(away) == len(values):
                text += f"; they take away from what stands before them: write {self.name}=*,{','.join(away)}"
            raise PlanError(text)
        return list(found)

    def _matching(self, text: str) -> list[str]:
        if text in self.variants:
            return [text]
        return [name for name in self.variants if fnmatchcase(name, text)] if _PATTERN.search(text) else []

    def _missing(self, text: str) -> str:
        """Return what is said of a value that means no variant."""
        known = f"; the variants are {', '.join(self.variants)}"
        missing = f"group {self.name!r} has no variant {text!r} in {self.path}"
        if _PATTERN.search(text):
            return missing + known
        write = f"write {self.path.rstrip('/')}/{text}.yaml, or take it out of the sweep"
        close = nearest(text, self.variants)
        return f"{missing}{close} Else {write}" if close else f"{missing}{known}; {write}"

    def variant(self, value: str) -> Variant:
        """Return the variant of a value that is no pattern; raises `PlanError`."""
        names = self.choose([value])
        if names != [unquote(value)]:
            raise PlanError(f"group {self.name!r}: the pattern {value!r} stands in `each`, and nowhere else")
        return self.variants[names[0]]


def brought(names: Iterable[str], known: Mapping[str, Group]) -> dict[str, None]:
    """Return these parameters and those that the variants of groups among them may bring, and theirs.

    Raises `JobFileError` where a variant cannot be read.
    """
    found = dict.fromkeys(names)
    looked = list(found)
    for name in looked:
        for variant in known[name].variants.values() if name in known else ():
            looked += [each for each in variant.files if each not in found]
            found |= dict.fromkeys(variant.files)
    return found


def _is_variant(name: str) -> bool:
    """Tell whether a file is one to read; what is hidden is not, as a shell's ``*`` leaves it out."""
    return name.endswith(SUFFIXES) and not name.startswith(".")


def _read(path: Path, shown: str) -> Variant:
    """Return the variant that a file describes; raises `JobFileError` with all that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise JobFileError(f"this file cannot be read: {why}", Place(shown)) from None
    except UnicodeDecodeError:
        raise JobFileError("this file is not UTF-8; save it as UTF-8", Place(shown)) from None
    try:
        fields.name(path.stem)
    except InputError as error:
        message = str(error).replace("a job's name", "a variant's name")
        raise JobFileError(f"{message}; rename the file", Place(shown)) from None
    document = read(text, shown)
    origin = Origin(document)
    if document.value is None:
        return Variant(origin=origin)
    notes = Notes(document)
    if not isinstance(document.value, dict):
        notes.note((), "must be a mapping, such as with: [polars==1.17.1]; a variant may be empty too")
        raise notes.error()
    for name in ("timeout", "where"):
        if name in document.value and document.value[name] is None:
            notes.note((name,), "has no value, and so is the job's; take the key out, or write a value")
    if notes.mistakes:
        raise notes.error()
    try:
        return replace(Variant.read(notes.with_texts(document.value, ())), origin=origin)
    except Mistakes as error:
        for each in error.mistakes:
            if each.error is None:
                notes.note(each.path[:-1], _unknown(str(each.path[-1])), each.path)
            else:
                notes.put(each.path, each.error)
        raise notes.error() from None


def _unknown(name: str) -> str:
    known = tuple(Variant.defaults())
    return f"unknown key {name!r}" + (nearest(name, known) or f"; the keys here are {', '.join(known)}")
