"""Another tool that ours is compared with, and what is drawn for the comparison."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Self, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


class Peer:
    """A tool in a process of its own: it answers a line of JSON with another, for as long as it is asked."""

    def __init__(self, interpreter: str, program: Path) -> None:
        self._process = subprocess.Popen(
            [interpreter, str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, request: Any) -> Any:
        """Return the answer to a request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def drawn(strategy: SearchStrategy[T], number: int, count: int) -> list[T]:
    """Return at most so many examples, each once, the simplest first; always the same for a seed."""
    found: dict[T, None] = {}

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(example: T) -> None:
        found[example] = None

    draw()
    return list(found)
