"""Numbers as text: which texts are numbers, what they mean, and how a suffix joins them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

__all__ = ["Scaled", "Suffix", "fixed", "general", "is_integer", "is_number", "number", "scaled", "suffix"]

_SI = {
    "f": "e-15",
    "p": "e-12",
    "n": "e-9",
    "u": "e-6",
    "m": "e-3",
    "k": "e3",
    "M": "e6",
    "G": "e9",
    "T": "e12",
}
"""The exponent that each SI suffix stands for."""

# Three digits of exponent keep every number that arithmetic makes below the 4300 digits that Python converts.
_EXPONENT = re.compile(r"[eE][+-]?[0-9]{1,3}")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(
    r"(?P<mantissa>(?P<sign>[+-]?)(?=\.?[0-9])(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*))?)"
    r"(?:[eE](?P<exponent>[+-]?[0-9]{1,3})|(?P<si>[fpnumkMGT]))?"
)
_SMALLEST_FIXED = -4  # C's %g turns to scientific notation below 1e-4


def number(value: str) -> Decimal | None:
    """Return the number that `value` means, exactly, or None if it means its text.

    ``1m``, ``1e-3`` and ``0.001`` are one number. Quoted text, text with superfluous leading zeros
    (``007``), ``inf``, ``nan`` and exponents of more than three digits are no numbers.
    """
    found = _NUMBER.fullmatch(value)
    if found is None or (len(found["whole"]) > 1 and found["whole"][0] == "0"):
        return None
    return Decimal(found["mantissa"] + _SI[found["si"]]) if found["si"] else Decimal(value)


def is_integer(text: str) -> bool:
    """Tell whether `text` is a number written without point, exponent and suffix."""
    return _INTEGER.fullmatch(text) is not None


def is_number(text: str) -> bool:
    """Tell whether `text` is a number, with or without an exponent or an SI suffix."""
    return _NUMBER.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Scaled:
    """The number ``units * 10**exponent``, and how many digits were written around its point."""

    units: int
    exponent: int
    whole_digits: int
    fraction_digits: int

    def at(self, exponent: int) -> int:
        """Return the units of the same number at a smaller or equal `exponent`."""
        return int(self.units * 10 ** (self.exponent - exponent))


def scaled(text: str) -> Scaled | None:
    """Return the number that `text` is, or None if it is none or has an SI suffix."""
    found = _NUMBER.fullmatch(text)
    if found is None or found["si"]:
        return None
    whole, fraction = found["whole"], found["fraction"] or ""
    units = int(found["sign"] + whole + fraction)
    return Scaled(units, int(found["exponent"] or 0) - len(fraction), len(whole), len(fraction))


def fixed(units: int, exponent: int) -> str:
    """Return ``units * 10**exponent`` in fixed notation, without superfluous zeros.

    >>> fixed(1250, -3), fixed(12, 2)
    ('1.25', '1200')
    """
    if exponent >= 0:
        return str(units * 10**exponent)
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).zfill(1 - exponent)
    fraction = digits[exponent:].rstrip("0")
    return sign + digits[:exponent] + ("." + fraction if fraction else "")


def general(units: int, exponent: int, precision: int) -> str:
    """Return ``units * 10**exponent`` as C's ``%.<precision>g`` does; all its digits, without rounding.

    >>> general(12, 2, 2), general(1205, 0, 4), general(122, -8, 3)
    ('1.2e+03', '1205', '1.22e-06')
    """
    digits = str(abs(units))
    magnitude = len(digits) - 1 + exponent
    digits = digits.rstrip("0")
    if not digits or _SMALLEST_FIXED <= magnitude < precision:
        return fixed(units, exponent)
    sign = "-" if units < 0 else ""
    point = "." if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{point}{digits[1:]}e{magnitude:+03d}"


@dataclass(frozen=True, slots=True)
class Suffix:
    """An SI suffix or an exponent: as it was written, and as an exponent (``e3``)."""

    written: str
    exponent: str

    def after(self, text: str) -> str:
        """Return `text` with this suffix; after a text that is no number it is plain text.

        The exponent of a number that has one already, or has an SI suffix, is added to this one.
        """
        found = _NUMBER.fullmatch(text)
        if found is None:
            return text + self.written
        own = _SI[found["si"]][1:] if found["si"] else found["exponent"]
        if own is None:
            return text + self.exponent
        return f"{found['mantissa']}e{int(own) + int(self.exponent[1:])}"


def suffix(text: str) -> Suffix | None:
    """Return the suffix that `text` is, or None: ``k`` is ``e3``, and ``e±N`` is itself."""
    exponent = text if _EXPONENT.fullmatch(text) else _SI.get(text)
    return None if exponent is None else Suffix(text, exponent)
