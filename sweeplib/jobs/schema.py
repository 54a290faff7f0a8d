"""Frozen models whose keys are read from values of a YAML file, every mistake collected.

Plain dataclasses, as a dry run starts in the time that importing a library for this would take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from sweeplib.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Mistake", "Mistakes", "Model", "Path", "key"]

Path = tuple[str | int, ...]
"""Where a value stands: keys of mappings and numbers of items."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at `path`, a path below the model; without an error: nothing has that name."""

    path: Path
    error: InputError | None


class Mistakes(InputError):  # noqa: N818  (an error for each)
    """All that is wrong with the values of a model, in the order of its keys."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        texts = [
            f"{'.'.join(map(str, each.path))}: {each.error or 'unknown key'}".removeprefix(": ")
            for each in self.mistakes
        ]
        super().__init__("; ".join(texts))

    def below(self, name: str | int) -> list[Mistake]:
        """Return the mistakes as they are in the model that has this one at `name`."""
        return [Mistake((name, *each.path), each.error) for each in self.mistakes]


def key(read: Callable[[Any], object], default: object, *, name: str | None = None) -> Any:
    """Return a model's field; `read` makes its value of one from a file, or of that value itself.

    `read` raises `InputError` if the value cannot be read; the message goes on after the key's name: that of
    the field, or `name` where Python has another use for that word.
    """
    metadata = {"read": read, "name": name}
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Model:
    """A base whose fields made by `key` are read as an instance is made; raises `Mistakes`."""

    def __post_init__(self) -> None:
        """Read all values, and hold what must be true of them together."""
        mistakes: list[Mistake] = []
        for name, each in self._keys().items():
            try:
                object.__setattr__(self, each.name, each.metadata["read"](getattr(self, each.name)))
            except Mistakes as error:
                mistakes += error.below(name)
            except InputError as error:
                mistakes.append(Mistake((name,), error))
        mistakes += self.contradictions({str(each.path[0]) for each in mistakes})
        if mistakes:
            raise Mistakes(mistakes)

    def contradictions(self, wrong: set[str]) -> Iterable[Mistake]:  # noqa: ARG002  (for those who have some)
        """Return what cannot be true at once; the keys in `wrong` have not been read."""
        return ()

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Self:
        """Return the model that a mapping of a file describes; raises `Mistakes`."""
        known = cls._keys()
        unknown = [Mistake((name,), None) for name in content if name not in known]
        try:
            model = cls(**{known[name].name: value for name, value in content.items() if name in known})
        except Mistakes as error:
            raise Mistakes([*error.mistakes, *unknown]) from None
        if unknown:
            raise Mistakes(unknown)
        return model

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Return the keys with their values where a file leaves them out."""
        return {
            name: each.default if each.default_factory is MISSING else each.default_factory()
            for name, each in cls._keys().items()
        }

    @classmethod
    def _keys(cls) -> dict[str, Field[Any]]:
        """Return the fields that are keys, by the name in a file."""
        own = [each for each in fields(cls) if "read" in each.metadata]
        return {each.metadata["name"] or each.name: each for each in own}

    def written(self) -> dict[str, Any]:
        """Return the mapping, fit for JSON, that `read` makes this model of; defaults are left out."""
        names = {name: each.name for name, each in self._keys().items()}
        given = {name: (getattr(self, names[name]), default) for name, default in self.defaults().items()}
        return {name: _written(value) for name, (value, default) in given.items() if value != default}


def _written(value: Any) -> object:
    if isinstance(value, (list, tuple)):
        return [_written(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _written(item) for name, item in value.items()}
    return value.written() if hasattr(value, "written") else value
