"""Sweep syntax: text to the values that it stands for, lazily; pure, and without third-party imports.

- `expand` and `collect` are the two sides for a person: `each` (a product) and `all` (joined values).
- `parse_each` and `parse_all` are the same for the program: `Argument` is a lazy sequence of `Cell`, `Steps`
  one of the cells of several arguments, and `Entries` one of cells that are written out. `Drawing` says how
  many random values are drawn.
- `unquote` and `number` say what a value means: its text without quotes, its number.

The grammar stands in the docstrings of `sweeplib.syntax.parser`, `sweeplib.syntax.ranges` and
`sweeplib.syntax.functions`.
"""

from sweeplib.syntax.cells import Argument, Cell, Entries, Steps
from sweeplib.syntax.draws import Drawing
from sweeplib.syntax.expansion import collect, expand
from sweeplib.syntax.numbers import number
from sweeplib.syntax.parser import parse_all, parse_each
from sweeplib.syntax.splitting import unquote

__all__ = [
    "Argument",
    "Cell",
    "Drawing",
    "Entries",
    "Steps",
    "collect",
    "expand",
    "number",
    "parse_all",
    "parse_each",
    "unquote",
]
