"""The parameters of a page as axes: the scale that shows their values, and where each result stands on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sweeplib.report.results import names_of_parameters
from sweeplib.report.table import printable
from sweeplib.syntax import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sweeplib.report.results import Result

__all__ = ["Axis", "Scale", "axes_of", "axis_of"]

_DECADES = 2.0  # powers of ten that values span at least to be shown on a logarithmic scale
_PLACES = 20  # of a heat map in one direction; beyond, neighbours share a place
_FEW = 20  # values, at most, that are put side by side where no scale of numbers shows all
_LABEL = 24  # characters of a value in a place's label


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
    they mean, None unless all are numbers. `codes` tell for each result which of the values it has, None:
    it has not this parameter. `labels` are the places of a heat map in this direction, and `places` tell
    for each value in which of them it is.
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
    meant = {text: _number(text) for text in dict.fromkeys(given) if text is not None}
    first: dict[float | str, str] = {}
    for text, value in meant.items():
        first.setdefault(text if value is None else value, text)
    order = sorted(first, key=lambda each: each if isinstance(each, float) else math.inf)
    index = {each: place for place, each in enumerate(order)}
    codes = {text: index[text if value is None else value] for text, value in meant.items()}
    texts = tuple(first[each] for each in order)
    numbers = tuple(each for each in order if isinstance(each, float))
    labels, places = _grouped(texts, order)
    return Axis(
        name=name,
        scale=_scale(numbers) if len(numbers) == len(texts) else Scale.CATEGORY,
        texts=texts,
        numbers=numbers if len(numbers) == len(texts) else None,
        codes=tuple(None if text is None else codes[text] for text in given),
        labels=labels,
        places=places,
    )


def _number(text: str) -> float | None:
    """Return the number that a text means, None where a float cannot tell it."""
    found = number(text)
    if found is None:
        return None
    value = float(found)
    return value if math.isfinite(value) and (value != 0 or found == 0) else None


def _scale(numbers: Sequence[float]) -> Scale:
    above = [value for value in numbers if value > 0]
    if not above or math.log10(max(above)) - math.log10(min(above)) < _DECADES:
        return Scale.LINEAR
    if len(above) == len(numbers):
        return Scale.LOG
    return Scale.CATEGORY if len(numbers) <= _FEW else Scale.LINEAR  # such as 0, 1e-4, 1e-2


def _grouped(texts: Sequence[str], meant: Sequence[float | str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the labels of at most so many places, and the place of each value.

    The ends of a place that several numbers share are rounded.
    """
    share = max(1, math.ceil(len(texts) / _PLACES))
    if share > 1:
        texts = [each if isinstance(each, str) else f"{each:.3g}" for each in meant]
    groups = [texts[start : start + share] for start in range(0, len(texts), share)]
    labels = [
        _label(group[0]) if len(group) == 1 else f"{_label(group[0])} … {_label(group[-1])}"
        for group in groups
    ]
    return tuple(labels), tuple(place // share for place in range(len(texts)))


def _label(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _LABEL else text[: _LABEL - 1] + "…"
