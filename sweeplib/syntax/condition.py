"""Conditions on the parameters of a combination, as Python writes them: ``lr > 0.01 and model == "large"``.

    condition  = comparison, joined by and, or, not and parentheses
    comparison = operand ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in" ) operand
    operand    = parameter | number | text in quotes | True | False | None | list or tuple of operands
               | operands joined by + - * / // %

A parameter is named as it is, dots included; one whose name Python could not read is ``params["db/mysql"]``.
Its value is what a called function would get (`sweeplib.syntax.typed`): numbers compare as numbers.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeplib.errors import PlanError, SweepSyntaxError

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Mapping

__all__ = ["Condition"]

_COMPARISONS: dict[str, Callable[[Any, Any], object]] = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "In": lambda left, right: left in right,
    "NotIn": lambda left, right: left not in right,
}


def _of_numbers(compute: Callable[[Any, Any], object]) -> Callable[[Any, Any], object]:
    def computed(left: object, right: object) -> object:
        for value in (left, right):
            if not isinstance(value, (int, float)):
                msg = f"{value!r} is no number to compute with"
                raise TypeError(msg)
        return compute(left, right)

    return computed


_OPERATIONS: dict[str, Callable[[Any, Any], object]] = {
    "Add": _of_numbers(operator.add),
    "Sub": _of_numbers(operator.sub),
    "Mult": _of_numbers(operator.mul),
    "Div": _of_numbers(operator.truediv),
    "FloorDiv": _of_numbers(operator.floordiv),
    "Mod": _of_numbers(operator.mod),
}
_EXPECTED = 'expected a condition on parameters, such as lr > 0.01 and model == "large"'
_PARAMETERS = "params"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read: its text, the parameters in it, and what tells whether it holds."""

    text: str
    names: tuple[str, ...]
    _holds: Callable[[Mapping[str, object]], Any]

    @classmethod
    def read(cls, text: str) -> Condition:
        """Return the condition that a text says; raises `SweepSyntaxError`."""
        from sweeplib.syntax.python_text import expression  # which only sets with a condition need

        try:
            tree = expression(text.strip())
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            column = (getattr(error, "offset", None) or len(text)) - 1
            span = _span(text, getattr(error, "lineno", None), column, column + 1)
            raise SweepSyntaxError(text, span, _EXPECTED, None) from None
        reader = _Reader(text, {})
        holds = reader.read(tree)
        if not reader.names:
            raise SweepSyntaxError(text, (0, len(text)), f"{_EXPECTED}; this names no parameter", None)
        return cls(text.strip(), tuple(reader.names), holds)

    def holds(self, values: Mapping[str, object]) -> bool:
        """Tell whether the condition holds of these values; raises `PlanError` where that cannot be told.

        It does not hold where that cannot be told for want of a value (None).
        """
        try:
            found = self._holds(values)
        except (TypeError, ArithmeticError, ValueError) as error:
            if any(values[name] is None for name in self.names):
                return False
            raise PlanError(f"{self._of(values)}: {error}") from None
        if not isinstance(found, bool):
            raise PlanError(f"{self._of(values)}: it is {found!r}, and must be true or false")
        return found

    def _of(self, values: Mapping[str, object]) -> str:
        given = " ".join(f"{name}={values[name]}" for name in self.names)
        return f"the condition {self.text!r} cannot be told for {given}"


def _span(text: str, line: int | None, start: int, end: int) -> tuple[int, int]:
    """Return the place in `text` of columns of its first line; all of it for another line."""
    if line != 1:
        return 0, len(text)
    begin = len(text) - len(text.lstrip())
    return min(begin + start, len(text)), min(begin + end, len(text))


@dataclass(slots=True)
class _Reader:
    """Turns the tree of a condition into functions of the values of its parameters."""

    text: str
    names: dict[str, None]

    def read(self, node: ast.expr) -> Callable[[Mapping[str, object]], Any]:
        """Return what computes a node."""
        read = getattr(self, f"_{type(node).__name__.lower()}", None)
        if read is None:
            raise self._error(node)
        function: Callable[[Mapping[str, object]], Any] = read(node)
        return function

    def _error(self, node: ast.AST, expected: str = _EXPECTED) -> SweepSyntaxError:
        line = self.text.strip().encode()
        start = len(line[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
        end = len(line[: getattr(node, "end_col_offset", 0)].decode(errors="ignore"))
        span = _span(self.text, getattr(node, "end_lineno", None), start, end)
        return SweepSyntaxError(self.text, span, expected, None)

    def _parameter(self, name: str) -> Callable[[Mapping[str, object]], Any]:
        self.names[name] = None
        return lambda values: values[name]

    def _name(self, node: ast.Name) -> Callable[[Mapping[str, object]], Any]:
        return self._parameter(node.id)

    def _attribute(self, node: ast.Attribute) -> Callable[[Mapping[str, object]], Any]:
        parts = [node.attr]
        inner: ast.expr = node.value
        while type(inner).__name__ == "Attribute":
            parts.append(inner.attr)  # type: ignore[attr-defined]
            inner = inner.value  # type: ignore[attr-defined]
        if type(inner).__name__ != "Name":
            raise self._error(node)
        return self._parameter(".".join([inner.id, *reversed(parts)]))  # type: ignore[attr-defined]

    def _subscript(self, node: ast.Subscript) -> Callable[[Mapping[str, object]], Any]:
        name = getattr(node.slice, "value", None)
        if getattr(node.value, "id", None) != _PARAMETERS or not isinstance(name, str):
            raise self._error(node)
        return self._parameter(name)

    def _constant(self, node: ast.Constant) -> Callable[[Mapping[str, object]], Any]:
        value = node.value
        if not isinstance(value, (bool, int, float, str, type(None))):
            raise self._error(node)
        return lambda _: value

    def _tuple(self, node: ast.Tuple | ast.List) -> Callable[[Mapping[str, object]], Any]:
        items = [self.read(item) for item in node.elts]
        return lambda values: [item(values) for item in items]

    _list = _tuple

    def _boolop(self, node: ast.BoolOp) -> Callable[[Mapping[str, object]], Any]:
        parts = [self.read(value) for value in node.values]
        if type(node.op).__name__ == "And":
            return lambda values: all(_truth(part(values)) for part in parts)
        return lambda values: any(_truth(part(values)) for part in parts)

    def _unaryop(self, node: ast.UnaryOp) -> Callable[[Mapping[str, object]], Any]:
        inner = self.read(node.operand)
        kind = type(node.op).__name__
        if kind == "Not":
            return lambda values: not _truth(inner(values))
        if kind == "USub":
            return lambda values: -inner(values)
        raise self._error(node)

    def _binop(self, node: ast.BinOp) -> Callable[[Mapping[str, object]], Any]:
        compute = _OPERATIONS.get(type(node.op).__name__)
        if compute is None:
            raise self._error(node)
        left, right = self.read(node.left), self.read(node.right)
        return lambda values: compute(left(values), right(values))

    def _compare(self, node: ast.Compare) -> Callable[[Mapping[str, object]], Any]:
        first = self.read(node.left)
        rest = []
        for kind, other in zip(node.ops, node.comparators, strict=True):
            compare = _COMPARISONS.get(type(kind).__name__)
            if compare is None:
                raise self._error(node)
            rest.append((compare, self.read(other)))

        def holds(values: Mapping[str, object]) -> bool:
            left = first(values)
            for compare, other in rest:
                right = other(values)
                if not compare(left, right):
                    return False
                left = right
            return True

        return holds


def _truth(value: object) -> bool:
    """Return a value that is true or false; raises TypeError for any other."""
    if not isinstance(value, bool):
        msg = f"{value!r} is neither true nor false"
        raise TypeError(msg)
    return value
