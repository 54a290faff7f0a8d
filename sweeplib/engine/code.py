"""The code that combinations ran with, and whether it has changed since.

It has changed where the content of a script differs, or of a module of the project that the script imports
(see `sweeplib.engine.sources`); and, in a git work tree, where another file of the project's folder differs
that git tracked then. Files that git has learnt of since do not count, nor do the job file, what is written
for people, and what belongs to other variants. Only content counts: a commit that changes none of these
files changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Self

from sweeplib.engine.git import between, contents, git_state, modified
from sweeplib.engine.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from sweeplib.engine.git import GitState
    from sweeplib.ledger import Ledger
    from sweeplib.plan import Combination, Command, Line, Plan

__all__ = ["Change", "Code", "Codes", "Outdated", "Rerun", "code_of"]

_SHORT = 7  # characters of a commit that are told
_SHOWN = 4  # files that are told


class Rerun(StrEnum):
    """What of the done is run again."""

    CHANGED = "changed"
    """What ran with another code: its scripts, or other files in git."""
    SCRIPT = "script"
    """What ran with other scripts, whatever else is in git."""


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a job at some time.

    `scripts` are digests by path by source, `commit` is git's, and `modified` has what was not as the commit
    has it (see `sweeplib.engine.git.modified`).
    """

    scripts: Mapping[str, Mapping[str, str]]
    commit: str | None = None
    modified: Mapping[str, str | None] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return what the ledger keeps."""
        git = {"commit": self.commit, "modified": self.modified} if self.commit else {}
        return json.dumps({"scripts": self.scripts, **git})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return what the ledger kept."""
        found = json.loads(text)
        return cls(found["scripts"], found.get("commit"), found.get("modified", {}))


def code_of(sources: Sources, project: Path, git: GitState | None) -> Code:
    """Return the code as it is now, in the state of git that is given."""
    changed = modified(project) if git is not None and git.patch else {}
    return Code(sources.hashes(), git.commit if git else None, changed)


@dataclass(frozen=True, slots=True)
class Change:
    """How the code differs from that of an earlier time: `scripts`, and `others` that git tracked then.

    Files are paths from the project's folder; those of `gone` are not there any more. `before` and `now` are
    git's commits. Of code that is not on record nothing is known (`known`).
    """

    scripts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    gone: frozenset[str] = frozenset()
    before: str | None = None
    now: str | None = None
    known: bool = True

    def __bool__(self) -> bool:
        return bool(self.scripts or self.others)

    def counts(self, rerun: Rerun) -> bool:
        """Tell whether it is one for which combinations are to be run again."""
        return bool(self.scripts) or (rerun is Rerun.CHANGED and bool(self.others))

    def __str__(self) -> str:
        """Say what differs: ``train.py differs (done at commit 1a2b3c4, now 5d6e7f8)``."""
        files = self.scripts or self.others
        text = ", ".join(files[:_SHOWN]) + (f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else "")
        one = len(files) == 1
        if self.gone.issuperset(files):
            text += " is gone" if one else " are gone"
        elif self.scripts:
            text += " differs" if one else " differ"
        text = text if self.scripts else f"git state differs: {text}"
        if not self.before or not self.now:
            return text
        if self.before == self.now:
            return f"{text} (at commit {self.now[:_SHORT]} both times)"
        return f"{text} (done at commit {self.before[:_SHORT]}, now {self.now[:_SHORT]})"


_UNKNOWN = Change(known=False)


class Codes:
    """Compares the code of a plan as it is now with that of the sweeps on record.

    Each state on record is compared once, and git is asked once for it.
    """

    def __init__(self, plan: Plan, project: Path, ledger: Ledger) -> None:
        self._project = project
        self._ledger = ledger
        self._sources = Sources(plan, project)
        self._of_sweep: dict[str, list[tuple[float, str]]] = {}
        self._codes: dict[str, Code] = {}
        self._others: dict[str, tuple[tuple[str, bool], ...]] = {}
        self._known: dict[tuple[str, tuple[str, ...]], Change] = {}

    @cached_property
    def git(self) -> GitState | None:
        """The state of git now."""
        return git_state(self._project)

    @cached_property
    def now(self) -> Code:
        """The code as it is now."""
        return code_of(self._sources, self._project, self.git)

    def change(
        self, combination: Combination | Line | Command | None, sweep: str, started: float | None
    ) -> Change:
        """Return how the code differs from that which a combination ran with in a sweep.

        `started` is when it began there (seconds since the epoch). None stands for all of a plan that is
        one command.
        """
        text = self._code_at(sweep, started)
        if text is None:
            return _UNKNOWN
        sources = self._sources.of_plan() if combination is None else self._sources.of(combination)
        if (text, sources) not in self._known:
            self._known[text, sources] = self._compared(text, sources)
        return self._known[text, sources]

    def _code_at(self, sweep: str, started: float | None) -> str | None:
        """Return the code on record that was the newest when a combination began."""
        if sweep not in self._of_sweep:
            self._of_sweep[sweep] = self._ledger.codes(sweep)
        found = self._of_sweep[sweep]
        before = [text for since, text in found if started is not None and since <= started]
        return (before[-1] if before else found[0][1]) if found else None

    def _compared(self, text: str, sources: tuple[str, ...]) -> Change:
        code = self._codes.setdefault(text, Code.from_text(text))
        scripts: dict[str, bool] = {}
        watched: set[str] = set()
        for source in sources:
            then, now = code.scripts.get(source), self.now.scripts.get(source, {})
            if then is not None:
                watched |= then.keys() | now.keys()
                scripts |= {
                    path: path not in now
                    for path in sorted(then.keys() | now.keys())
                    if then.get(path) != now.get(path)
                }
        others = {
            path: gone
            for path, gone in self._differing(text, code)
            if path not in watched and self._sources.concerns(path, sources)
        }
        gone = frozenset(path for path, is_gone in (scripts | others).items() if is_gone)
        return Change(tuple(scripts), tuple(others), gone, code.commit, self.now.commit)

    def _differing(self, text: str, code: Code) -> tuple[tuple[str, bool], ...]:
        """Return the files that git tracked then and that differ, and whether each is gone."""
        if text not in self._others:
            self._others[text] = tuple(self._differing_from(code))
        return self._others[text]

    def _differing_from(self, code: Code) -> Iterator[tuple[str, bool]]:
        if code.commit is None or self.now.commit is None:
            return
        commits = between(self._project, code.commit, self.now.commit)
        if commits is None:
            return  # that commit is not there any more: only scripts can be compared
        found: dict[str, tuple[str, str | None]] = {}
        for path in sorted({*commits, *code.modified, *self.now.modified}):
            as_committed = commits.get(path, (_SAME, _SAME))
            before = code.modified.get(path, as_committed[0])
            after = self.now.modified.get(path, as_committed[1])
            if before is not None and before != after:
                found[path] = before, after
        # What git does not track any more may be there still.
        there = contents(self._project, [path for path, (_, after) in found.items() if after is None])
        for path, (before, after) in found.items():
            now = there.get(path, after)
            if now != before:
                yield path, now is None


_SAME = "as in both commits"


class Outdated:
    """Finds out which of the done combinations are to be run again, for their code has changed.

    What the sweep `besides` completed counts as done: it is going on, and runs nothing twice.
    """

    def __init__(self, codes: Codes, ledger: Ledger, rerun: Rerun, besides: str = "") -> None:
        self.codes = codes
        self._ledger = ledger
        self._rerun = rerun
        self._besides = besides

    def of(
        self,
        lineage: str,
        combinations: Iterable[tuple[str, Combination | Line | Command | None]],
        done: Collection[str],
    ) -> dict[str, str]:
        """Return those of the keys that are `done` and outdated, each with the sweep that completed it."""
        found = self._ledger.done_in(lineage, done) if done else {}
        return {
            key: sweep
            for key, combination in combinations
            if key in found
            for sweep, started in [found[key]]
            if sweep != self._besides and self.codes.change(combination, sweep, started).counts(self._rerun)
        }
