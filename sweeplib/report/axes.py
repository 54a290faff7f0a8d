"""Parameters as axes: the scale that shows their values, and where each result stands on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sweeplib.report.places import places_of
from sweeplib.report.results import names_of_parameters
from sweeplib.syntax import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from sweeplib.report.results import Result

__all__ = ["HIGHEST", "Axis", "Scale", "axes_of", "axis_of"]

HIGHEST = 1e300
"""How far from 0 a number may be for a plot's axis to be computed."""

_DECADES = 2.0  # powers of ten that values span at least to be shown on a logarithmic scale
_PLACES = 20  # of a heat map in one direction; beyond, neighbours share a place
_DIGITS = 12  # in which numbers differ that an axis can put in two places
_FEW = 20  # values, at most, that are put side by side where no scale of numbers shows all


class Scale(StrEnum):
    """How the values of a parameter are put on an axis."""

    LINEAR = "linear"
    """Numbers, where they are."""
    LOG = "log"
    """Numbers above 0 that span decades, by their logarithm."""
    CATEGORY = "category"
    """Texts, or numbers that are better shown like texts, side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A parameter over some results.

    `texts` are its distinct values, numbers upwards and then texts as they first appear; `numbers` what
    they mean, as near as a float is, None unless all are numbers that an axis can show. `codes` tell for
    each result which of the values it has, None: it has not this parameter. `labels` are the places of a
    heat map in this direction, and `places` tell for each value in which of them it is.
    """

    name: str
    scale: Scale
    texts: tuple[str, ...]
    numbers: tuple[float, ...] | None
    codes: tuple[int | None, ...]
    labels: tuple[str, ...]
    places: tuple[int, ...]

    @property
    def varies(self) -> bool:
        """Whether results differ in it."""
        return len(self.texts) > 1 or None in self.codes

    @property
    def features(self) -> list[float]:
        """What a forest is given for each result: which of the values it has, NaN: none.

        A tree asks for the order of numbers alone, and sklearn's reads a number as 32 bits.
        """
        return [math.nan if code is None else float(code) for code in self.codes]


def axes_of(results: Sequence[Result]) -> list[Axis]:
    """Return an axis a parameter, in the order in which they first appear."""
    return [axis_of(name, results) for name in names_of_parameters(results)]


def axis_of(name: str, results: Iterable[Result]) -> Axis:
    """Return the axis of a parameter; values that are one number, such as 1m and 0.001, are one value."""
    given = [result.parameters.get(name) for result in results]
    meant = {text: _meaning(text) for text in dict.fromkeys(given) if text is not None}
    first: dict[Decimal | str, str] = {}
    for text, value in meant.items():
        first.setdefault(value, text)
    exact = sorted(each for each in first if not isinstance(each, str))
    order: list[Decimal | str] = [*exact, *[each for each in first if isinstance(each, str)]]
    index = {each: place for place, each in enumerate(order)}
    texts = tuple(first[each] for each in order)
    numbers = tuple(shown for each in exact if (shown := _float(each)) is not None)
    labels, places = places_of(texts, _PLACES)
    return Axis(
        name=name,
        scale=_scale(numbers) if len(numbers) == len(texts) else Scale.CATEGORY,
        texts=texts,
        numbers=numbers if len(numbers) == len(texts) else None,
        codes=tuple(None if text is None else index[meant[text]] for text in given),
        labels=labels,
        places=places,
    )


def _meaning(text: str) -> Decimal | str:
    """Return the number that a text means, or else the text."""
    found = number(text)
    return text if found is None else found


def _float(exact: Decimal) -> float | None:
    """Return a number as an axis shows it, None where none does."""
    value = float(exact)
    return value if abs(value) <= HIGHEST and (value != 0 or exact == 0) else None


def _scale(numbers: Sequence[float]) -> Scale:
    above = [value for value in numbers if value > 0]
    if len({f"{value:.{_DIGITS}g}" for value in numbers}) < len(numbers) <= _FEW:
        return Scale.CATEGORY
    if not above or math.log10(max(above)) - math.log10(min(above)) < _DECADES:
        return Scale.LINEAR
    if len(above) == len(numbers):
        return Scale.LOG
    return Scale.CATEGORY if len(numbers) <= _FEW else Scale.LINEAR  # such as 0, 1e-4, 1e-2
