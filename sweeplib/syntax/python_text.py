"""Python's text → its syntax tree, without a word on what is doubtful in it: that is told where it runs."""

from __future__ import annotations

import ast
import warnings

__all__ = ["expression", "module"]

_NAME = "<a project's text>"  # what the parser calls the text


def module(text: bytes) -> ast.Module:
    """Return the tree of a file; raises what `ast.parse` raises."""
    _ignore()
    return ast.parse(text, _NAME)


def expression(text: str) -> ast.expr:
    """Return the tree of an expression; raises what `ast.parse` raises."""
    _ignore()
    return ast.parse(text, _NAME, "eval").body


def _ignore() -> None:
    # The filter stays, as it is about no other code: to take it away again, as `catch_warnings` does, is not
    # safe beside other threads.
    warnings.filterwarnings("ignore", module=_NAME)
