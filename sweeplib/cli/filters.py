"""The options by which commands show some of what there is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from sweeplib.report.filters import Filter, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["filter_of", "filter_options"]


def filter_options(states: Sequence[str]) -> Callable[[Any], Any]:
    """Return a decorator that gives a command the options; its status is one of `states`."""
    options = [
        click.option(
            "--tag",
            "tags",
            multiple=True,
            metavar="TAG",
            help="Only what has this tag; several: all of them.",
        ),
        click.option(
            "--status",
            "states",
            multiple=True,
            type=click.Choice([state.replace(" ", "-") for state in states]),
            help="Only what is so; several: any.",
        ),
        click.option("--name", metavar="PATTERN", help="Only what is called so; * stands for any text."),
        click.option(
            "--since",
            metavar="TIME",
            help="Only what began then or later: 2026-11-21, or 2h for two hours ago.",
        ),
        click.option("--until", metavar="TIME", help="Only what began until then."),
    ]

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def filter_of(options: dict[str, Any]) -> Filter:
    """Return the filter that the options say; raises `InputError` for a time that is none."""
    now = time.time()
    since, until = (
        None if options[name] is None else moment(options[name], now) for name in ("since", "until")
    )
    states = tuple(state.replace("-", " ") for state in options["states"])
    return Filter(options["tags"], states, options["name"], since, until)
