"""What is wrong with the document of a file, each mistake with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sweeplib.errors import InputError, JobFileError, Place, SweepSyntaxError
from sweeplib.jobs.yaml_file import spell

if TYPE_CHECKING:
    from sweeplib.jobs.schema import Path
    from sweeplib.jobs.yaml_file import Document

__all__ = ["Notes"]


@dataclass(slots=True)
class Notes:
    """A document, and its mistakes: errors by line, in the order they were found."""

    document: Document
    mistakes: list[tuple[int, InputError]] = field(default_factory=list, kw_only=True)

    def with_texts(self, given: dict[str, Any], path: Path) -> dict[str, Any]:
        """Return a copy in which what commands are given is as it was written, be it 1.10 or yes.

        That are the values of `env`, and the numbers among the `arguments` of `deployments`.
        """
        raw = dict(given)
        env, deployments = raw.get("env"), raw.get("deployments")
        if isinstance(env, dict):
            texts = self.document.texts
            raw["env"] = {
                key: value if value is None else texts.get((*path, "env", key), value)
                for key, value in env.items()
            }
        if isinstance(deployments, dict):
            below = (*path, "deployments")
            raw["deployments"] = {
                name: self._with_arguments(each, (*below, name)) for name, each in deployments.items()
            }
        return raw

    def _with_arguments(self, given: object, path: Path) -> object:
        if not isinstance(given, dict) or not isinstance(given.get("arguments"), list):
            return given
        texts = self.document.texts
        written = [
            texts.get((*path, "arguments", at), value)
            if isinstance(value, (int, float)) and not isinstance(value, bool)
            else value
            for at, value in enumerate(given["arguments"])
        ]
        return given | {"arguments": written}

    def note(self, path: Path, message: str, at: Path | None = None) -> None:
        """Note a mistake at `path`; its line is that of `at`, where that is another."""
        self.put(path, JobFileError(message), at)

    def put(self, path: Path, error: InputError, at: Path | None = None) -> None:
        """Note `error` with its place."""
        place = self.place(path, at)
        if isinstance(error, SweepSyntaxError):
            placed: InputError = SweepSyntaxError(error.source, error.span, error.expected, place)
        else:
            placed = JobFileError(getattr(error, "message", None) or str(error), place)
        self.mistakes.append((place.line or 0, placed))

    def place(self, path: Path, at: Path | None = None) -> Place:
        """Return the place of what stands at `path`; its line is that of `at`, where that is another."""
        return Place(self.document.file, self.document.line(at or path), spell(path))

    def error(self) -> InputError:
        """Return the mistake, or all of them as one error, by line."""
        return self.error_of(self.mistakes)

    @staticmethod
    def error_of(mistakes: list[tuple[int, InputError]]) -> InputError:
        """Return these mistakes as one error, by line."""
        ordered = [error for _, error in sorted(mistakes, key=lambda entry: entry[0])]
        if len(ordered) == 1:
            return ordered[0]
        return JobFileError("\n".join(map(str, ordered)), Place())  # each has a place of its own
