"""The combinations of a job whose commands are shell lines: each is known by its text."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from sweeplib.errors import PlanError
from sweeplib.plan.identity import digest_text, prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sweeplib.jobs import Job
    from sweeplib.where import Where

__all__ = ["Line", "Lines"]

_LABEL_LENGTH = 160
_LOOKED = 100_000  # lines that are looked through for a parameter that an amount is of
_READ = 10_000  # characters up to which a line is looked through for options; it takes the square of that


@dataclass(frozen=True, slots=True)
class Line:
    """A shell line: its place in the plan and its text."""

    part: Lines
    position: int
    text: str

    @property
    def key(self) -> str:
        """The line's identity, which is its text, and the packages that are installed for it, if any."""
        return digest_text(self.part.prefix, self.text)

    @property
    def parameters(self) -> dict[str, str]:
        """The values of what looks like options with values, ``--alpha=1``; of none: the line itself."""
        try:
            words = list(_words(self.text)) if len(self.text) <= _READ else []
        except ValueError:
            words = []
        found = dict(word[2:].split("=", 1) for word in words if word.startswith("--") and "=" in word)
        found.pop("", None)
        return found or {"command": self.text}

    @property
    def values(self) -> dict[str, object]:
        """What the values mean, by parameter."""
        from sweeplib.syntax.typed import typed  # which a dry run does without

        return {name: typed(value) for name, value in self.parameters.items()}

    @property
    def label(self) -> str:
        """The line, as far as there is room."""
        text = self.text
        return text if len(text) <= _LABEL_LENGTH else text[: _LABEL_LENGTH - 1] + "…"


def _words(text: str) -> shlex.shlex:
    """Return the words of a shell line, what joins commands being words of their own; raises ValueError."""
    words = shlex.shlex(text, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    return words


class Lines:
    """The lines of a job; raises `PlanError` where it has resources by a parameter that no line has."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.least_cpu = job.resources.least_cpu(lambda _: ())
        self.names_gpu = job.resources.gpu is not None
        self.prefix = prefix("launch", (), (), "", (), job.packages)
        self.places: frozenset[Where | None] = frozenset({job.where})
        """Where the lines run."""
        for name, key in job.resources.names:
            self._hold_amount(name, key)

    def _hold_amount(self, name: str, key: str) -> None:
        for text in islice(self._texts, _LOOKED):
            if name in text and name in Line(self, 0, text).parameters:
                return
        if self.size <= _LOOKED:
            amount = self._job.resources.written()[key]
            msg = f"{key} is {amount}, and no line of {self._job.launch} has --{name}=…"
            raise PlanError(f"job {self._job.entry!r}: resources: {msg}")

    def makes(self, key: str, text: str) -> bool:
        """Tell whether `key` would be that of a line of this text."""
        return digest_text(self.prefix, text) == key

    @cached_property
    def _texts(self) -> Sequence[str]:
        return self._job.lines

    @property
    def size(self) -> int:
        """How many lines there are."""
        return len(self._texts)

    def combination(self, index: int, position: int) -> Line:
        """Return the line at `index`, which is at `position` in the plan."""
        return Line(self, position, self._texts[index])

    def combinations(self, position: int) -> Iterator[Line]:
        """Yield all, the first of which is at `position` in the plan."""
        for number, text in enumerate(self._texts, position):
            yield Line(self, number, text)
