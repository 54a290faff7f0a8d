"""How much of a machine a command needs: ``{cpu: 2, memory: 4GB, gpu: 0.5}``, or ``cpu: ${cpu}``.

    amount = number | "${" parameter "}"            processors; devices, or a share of one
    memory = (number | "${" parameter "}") unit     unit = kB, MB, GB, TB, KiB, … (the B may go), or B

A parameter stands for its value in the combination.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sweeplib.amounts import Amounts
from sweeplib.errors import InputError, nearest
from sweeplib.syntax import number, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from decimal import Decimal

__all__ = ["Resources", "resources"]

_UNITS = {
    "": 1,
    **{letter: 1000**power for power, letter in enumerate("kMGT", 1)},
    **{f"{letter}i": 1024**power for power, letter in enumerate("KMGT", 1)},
}
_PARAMETER = re.compile(r"\$\{([^${}]+)\}")
_UNIT = r"\s*([kKMGT]?i?)B?"
_MEMORY = re.compile(r"([-+.0-9eE]+?)" + _UNIT)
_BARE = re.compile(r"[-+]?[.0-9]+([eE][-+]?[0-9]+)?")
_EXAMPLES = {"cpu": "2", "memory": "4GB", "gpu": "1"}
_MOST = {"cpu": 10**6, "memory": 10**18, "gpu": 10**6}


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job file says of how much a command needs, as text; None where nothing is said."""

    cpu: str | None = None
    memory: str | None = None
    gpu: str | None = None

    def __bool__(self) -> bool:
        return any(self._given().values())

    @property
    def names(self) -> list[tuple[str, str]]:
        """The parameters that amounts are taken from, each with the resource that it is for."""
        given = self._given()
        return [(name, key) for key, text in given.items() for name in _PARAMETER.findall(text)]

    def over(self, other: Resources) -> Resources:
        """Return the resources of both; where both say something, these count."""
        return replace(other, **self._given())

    def of(self, parameters: Mapping[str, str]) -> Amounts:
        """Return how much the combination with these parameters needs; of others nothing is said.

        Raises `InputError` where a parameter's value is no amount.
        """
        told = {
            key: text
            for key, text in self._given().items()
            if set(_PARAMETER.findall(text)) <= parameters.keys()
        }
        return Amounts(**{key: _amount(key, text, parameters) or None for key, text in told.items()})

    def hold(
        self, name: str, key: str, values: Sequence[str], known: Sequence[str], among: str = "this set"
    ) -> None:
        """Raise `InputError` unless the parameter `name` has values, and each is an amount of `key`.

        `among` is what messages call the set of `known` parameters.
        """
        if not values:
            close = nearest(name, known) or f"; the parameters are {', '.join(known) or 'none'}"
            raise InputError(
                f"{key} is {self._given()[key]}, and there is no parameter {name!r} in {among}{close}"
            )
        for value in map(unquote, values):
            try:
                _amount(key, self._given()[key], {name: value})
            except InputError as error:
                raise InputError(f"{error} ({name}={value} in {among})") from None

    def least_cpu(self, values: Callable[[str], Iterable[str]]) -> float | None:
        """Return the fewest processors that a command needs, `values` being those of a parameter.

        None where nothing is said of processors; 1 where the parameter has no values.
        """
        if self.cpu is None:
            return None
        named = _PARAMETER.findall(self.cpu)
        said = [{name: unquote(value)} for name in named for value in values(name)] if named else [{}]
        return min((_amount("cpu", self.cpu, each) for each in said), default=1.0)

    def written(self) -> dict[str, str]:
        """Return the resources as they are written in a job file."""
        return self._given()

    def __str__(self) -> str:
        return ", ".join(f"{key} {text}" for key, text in self._given().items())

    def _given(self) -> dict[str, str]:
        given = {key: getattr(self, key) for key in _EXAMPLES}
        return {key: text for key, text in given.items() if text is not None}


def resources(value: object) -> Resources:
    """Return what a mapping of a job file says; raises `InputError`."""
    if isinstance(value, Resources):
        return value
    if not isinstance(value, Mapping):
        given = "" if value is None else f", not {value!r}"
        raise InputError(f"must be a mapping such as {{cpu: 2, memory: 4GB, gpu: 1}}{given}")
    found: dict[str, str] = {}
    for key, amount in value.items():
        if key not in _EXAMPLES:
            close = nearest(key, _EXAMPLES) or f"; the resources are {', '.join(_EXAMPLES)}"
            raise InputError(f"there is no resource {key!r}{close}")
        found[key] = _text(key, amount)
    return Resources(**found)


def _text(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise InputError(f"{key} must be {_expected(key)}")
    text = str(value).strip()
    if not _PARAMETER.search(text):
        _amount(key, text, {})
    elif not re.fullmatch(_PARAMETER.pattern + (_UNIT if key == "memory" else ""), text):
        raise InputError(f"{key} must be {_expected(key)}, not {text!r}")
    return text


def _expected(key: str) -> str:
    what = f"a size such as {_EXAMPLES[key]}" if key == "memory" else f"a number such as {_EXAMPLES[key]}"
    return f"{what}, or a parameter such as ${{{key}}}"


def _amount(key: str, text: str, parameters: Mapping[str, str]) -> Any:
    said = _PARAMETER.sub(lambda found: parameters[found[1]], text)
    if key == "memory" and _BARE.fullmatch(said):
        raise InputError(f"memory must be {_expected(key)}; {said} has no unit: write {text}GB, or {text}B")
    value = _bytes(said) if key == "memory" else number(said)
    if value is None or not value.is_finite() or value < 0 or (not value and key != "gpu"):
        least = "not below 0" if key == "gpu" else "above 0"
        raise InputError(f"{key} must be {_expected(key)}, and {least}; it is {said!r}")
    if value > _MOST[key]:
        raise InputError(f"{key} is {said}, more than any machine has")
    if key == "gpu" and value > 1 and value != value.to_integral_value():
        raise InputError(f"gpu must be a share of one device, or a whole number of them; it is {said}")
    return int(value) if key == "memory" else float(value)


def _bytes(text: str) -> Decimal | None:
    found = _MEMORY.fullmatch(text)
    if found is None or found[2] not in _UNITS:
        return None
    value = number(found[1])
    return None if value is None else (value * _UNITS[found[2]]).to_integral_value()
