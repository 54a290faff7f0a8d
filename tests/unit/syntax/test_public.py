"""The public names, and the examples in the docstrings."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import sweeplib.syntax


def test_public_names() -> None:
    names = ["Argument", "Cell", "Drawing", "Entries", "Steps", "collect", "expand", "number"]
    names += ["parse_all", "parse_each", "unquote"]
    assert sweeplib.syntax.__all__ == names
    assert all(hasattr(sweeplib.syntax, name) for name in names)


def test_examples_in_docstrings() -> None:
    modules = [
        importlib.import_module(f"sweeplib.syntax.{module.name}")
        for module in pkgutil.iter_modules(sweeplib.syntax.__path__)
    ]
    results = [doctest.testmod(module) for module in modules]
    assert sum(result.attempted for result in results) > 0
    assert not any(result.failed for result in results)
