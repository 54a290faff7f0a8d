"""Readers of a job's keys: each reads one value of a YAML file, or says in a sentence what it must be.

A sentence goes on after the name of the place: ``jobs.train.parallel: must be …``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sweeplib.errors import InputError, nearest
from sweeplib.jobs.units import FailureLimit, Multiple, parse_duration
from sweeplib.jobs.words import split_words
from sweeplib.syntax import Drawing, parse_all, parse_each
from sweeplib.syntax.condition import Condition

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "MODES",
    "ORDERS",
    "STYLES",
    "ClusterSpec",
    "Metric",
    "add",
    "address",
    "all_",
    "call",
    "canary",
    "cluster",
    "command",
    "condition",
    "cron",
    "delays",
    "each",
    "environment",
    "file",
    "flag",
    "in_step",
    "included",
    "max_failures",
    "metric",
    "mode",
    "name",
    "optional",
    "order",
    "parallel",
    "preload",
    "selection",
    "style",
    "tags",
    "texts",
    "timeout",
    "timezone",
    "tracking",
    "whole",
]

MODES = ("fresh", "resume", "changed", "script")
ORDERS = ("auto", "plan", "longest")
STYLES = ("hydra", "plain", "flags", "kwargs")
_SWEEP = "model=small,large lr=0.1"
# Texts, as most files need few of these, and each takes a while to compile.
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_CRON = r"@[a-z]+|[0-9A-Za-z*/,#L?-]+( +[0-9A-Za-z*/,#L?-]+){4}"
_CRON_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day", 1, 31),
    ("month", 1, 12),
    ("weekday", 0, 7),
)
_MODULE = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)+"


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """A Dask cluster to start for a sweep: the class's dotted path and its keyword arguments."""

    class_: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def written(self) -> dict[str, Any]:
        """Return the cluster as it is written in a job file."""
        return {"class": self.class_, **self.arguments}


@dataclass(frozen=True, slots=True)
class Metric:
    """What combinations are ranked by; `ascending` is None where the metric's name tells what is better."""

    name: str
    ascending: bool | None = None

    def written(self) -> str | dict[str, str]:
        """Return the metric as it is written in a job file."""
        if self.ascending is None:
            return self.name
        return {"lowest" if self.ascending else "highest": self.name}


def _what(value: object) -> str:
    """Return what `value` is, for a sentence."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return repr(value)
    return "a list" if isinstance(value, (list, tuple)) else "a mapping"


def _text(value: object, example: str) -> str:
    if isinstance(value, str):
        if "\0" in value:
            raise InputError("has a NUL character in it, which no command can be given; take it out")
        return value.strip()
    if value is None:
        raise InputError(f"has no value; write text such as {example}, or take the key out")
    raise InputError(f"must be text such as {example}, not {_what(value)}")


def command(value: object) -> str:
    """Return a command that a shell could split into words."""
    if isinstance(value, list) and value and all(isinstance(item, (str, int, float)) for item in value):
        raise InputError(f"must be text, not a list; write {shlex.join(map(str, value))}")
    text = _text(value, "python train.py")
    split_words(text)
    return text


def file(value: object) -> str:
    """Return the path of a file."""
    return _text(value, "commands.txt")


def call(value: object) -> str:
    """Return a command whose first word is a function in a module."""
    text = command(value)
    words = split_words(text)
    if words and not re.fullmatch(_DOTTED, words[0]):
        raise InputError(
            f"must name a function in a module, such as package.module.function, not {words[0]!r}"
        )
    if words and words[0].endswith(".py"):
        raise InputError(
            f"must name a function in a module; to run the file {words[0]}, write run: python {text}"
        )
    return text


def each(value: object) -> str:
    """Return sweep text of which a product is made; how many random values it has is said beside it."""
    text = _text(value, _SWEEP)
    parse_each(text, drawing=Drawing(1))
    return text


def selection(value: object) -> str:
    """Return sweep text that selects combinations."""
    text = _text(value, _SWEEP)
    parse_each(text)
    return text


def in_step(value: object) -> str:
    """Return sweep text of parameters that go in step, which have equally many values."""
    text = _text(value, "lr=0.1,0.01 decay=1,2")
    arguments = parse_each(text)
    counts = {len(argument) for argument in arguments}
    if len(counts) > 1:
        listed = " and ".join(f"{argument.keys[0]} has {len(argument):,}" for argument in arguments)
        text = f"goes in step, so all need as many values: {listed}"
        patterns = [one for one in arguments if len(one) == 1 and re.search(r"[*?\[]", one[0].value)]
        if patterns:
            text += f"; a pattern, as in {patterns[0].keys[0]}={patterns[0][0].value}, stands in 'each' alone"
        raise InputError(text)
    return text


def condition(value: object) -> tuple[str, ...]:
    """Return conditions on parameters."""
    texts = value if isinstance(value, (list, tuple)) else [value]
    found = tuple(_text(text, "lr > 0.01") for text in texts)
    for text in found:
        Condition.read(text)
    return found


def included(value: object) -> tuple[str, ...]:
    """Return sweep texts, each of combinations of its own."""
    return tuple(map(selection, value if isinstance(value, (list, tuple)) else [value]))


def all_(value: object) -> str:
    """Return sweep text of which every value stands in every command."""
    text = _text(value, _SWEEP)
    parse_all(text)
    return text


def add(value: object) -> str:
    """Return words that are appended to commands."""
    text = _text(value, "hydra/launcher=joblib")
    split_words(text)
    return text


def texts(value: object) -> tuple[str, ...]:
    """Return a list of arguments for a command."""
    if not isinstance(value, (list, tuple)):
        hint = f"; write [{value}]" if isinstance(value, (str, int, float)) else ""
        raise InputError(f"must be a list of texts such as [seed=1:3]{_but(value)}{hint}")
    for item in value:
        if not isinstance(item, (str, int, float)) or isinstance(item, bool):
            raise InputError(f"must be a list of texts, and {_what(item)} is none; put it in quotes")
        if "\0" in str(item):
            raise InputError("has a NUL character in it, which no command can be given; take it out")
    return tuple(map(str, value))


def cron(value: object) -> str:
    """Return when a deployment runs: the five fields of cron, or a name such as ``@daily``."""
    text = _text(value, "'0 2 * * *'")
    if not re.fullmatch(_CRON, text):
        raise InputError(f"{text!r} is not a cron line; write minute hour day month weekday: '0 2 * * *'")
    for (what, least, most), part in zip(_CRON_FIELDS, text.split(), strict=False):
        for number in re.findall(r"(?<![/0-9A-Za-z])[0-9]+", part):
            if not least <= int(number) <= most:
                raise InputError(
                    f"{text!r} is not a cron line: the {what} is {least} to {most}, not {number}"
                )
    return text


def timezone(value: object) -> str:
    """Return the name of a time zone of the IANA database."""
    from zoneinfo import ZoneInfo, available_timezones

    text = _text(value, "Europe/Berlin")
    try:
        ZoneInfo(text)
    except (OSError, ValueError, LookupError):
        close = nearest(text, sorted(available_timezones())) or "; write one such as Europe/Berlin"
        raise InputError(f"there is no time zone {text!r}{close}") from None
    return text


def mode(value: object) -> str:
    """Return one of `MODES`: whether a deployed run begins afresh, or goes on, and what it runs again."""
    text = _text(value, "resume")
    if text not in MODES:
        close = nearest(text, MODES) or f"; the modes are {', '.join(MODES)}"
        raise InputError(f"there is no mode {text!r}{close}")
    return text


def order(value: object) -> str:
    """Return one of `ORDERS`; the first where nothing is said."""
    if value is None:
        return ORDERS[0]
    text = _text(value, "longest")
    if text not in ORDERS:
        close = nearest(text, ORDERS) or f"; the orders are {', '.join(ORDERS)}"
        raise InputError(f"there is no order {text!r}{close}")
    return text


def canary(value: object) -> int | Literal[True] | None:
    """Return how many combinations run first at most, True for as many as it takes, or None, as for false."""
    if value is None or isinstance(value, bool):
        return value or None
    if not isinstance(value, int) or value < 1:
        raise InputError(f"must be true, false or a whole number, 1 or more, not {_what(value)}")
    return value


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise InputError(f"must be true or false{_but(value)}")
    return value


def address(value: object) -> str | None:
    """Return the address of a Dask scheduler, or None."""
    if value is None or (isinstance(value, str) and ":" in value):
        return value
    raise InputError(f"must be a scheduler's address such as tcp://127.0.0.1:8786{_but(value)}")


def name(value: object) -> str:
    """Return a job's name; raises `InputError` if files and addresses cannot be named after it."""
    text = _text(value, "train")
    if not re.fullmatch(_NAME, text):
        raise InputError(
            f"{text!r} cannot be a job's name; use letters A-Z and a-z, digits, '_', '-' and '.', "
            "and begin with a letter, a digit or '_'"
        )
    return text


def style(value: object) -> str:
    """Return one of `STYLES`."""
    text = _text(value, "flags")
    if text not in STYLES:
        close = nearest(text, STYLES) or f"; the styles are {', '.join(STYLES)}"
        raise InputError(f"there is no style {text!r}{close}")
    return text


def tracking(value: object) -> bool | Literal["own"]:
    """Return whether, or by whom, combinations are recorded."""
    if isinstance(value, bool):
        return value
    if value == "own":
        return "own"
    raise InputError(f"must be true, false or own{'' if value is None else f', not {_what(value)}'}")


def whole(least: int, most: int | None = None) -> Callable[[object], int]:
    """Return a reader of whole numbers that are not below `least`, nor above `most` (None: any)."""
    allowed = f"{least} or more" if most is None else f"{least} to {most}"

    def read(value: object) -> int:
        beyond = isinstance(value, int) and (value < least or (most is not None and value > most))
        if isinstance(value, bool) or not isinstance(value, int) or beyond:
            given = "" if value is None else f", not {_what(value)}"
            raise InputError(f"must be a whole number, {allowed}{given}")
        return value

    return read


def optional(read: Callable[[Any], object]) -> Callable[[object], object]:
    """Return a reader that reads nothing where there is nothing."""
    return lambda value: None if value is None else read(value)


def parallel(value: object) -> int | None:
    """Return how many commands may run at once, or None."""
    return None if value is None else whole(1)(value)


def timeout(value: object) -> float | Multiple | None:
    """Return a number of seconds above 0, a multiple of the time that is expected, or None."""
    if value is None or isinstance(value, Multiple):
        return value
    if isinstance(value, str) and "x" in value.lower():
        return Multiple.parse(value)
    seconds = parse_duration(value)
    if not seconds:
        raise InputError("must be longer than 0; to have no timeout, take the key out")
    return seconds


def delays(value: object) -> tuple[float, ...]:
    """Return seconds before each retry."""
    return tuple(map(parse_duration, value if isinstance(value, (list, tuple)) else [value]))


def max_failures(value: object) -> FailureLimit | None:
    """Return the limit on failures, or None."""
    return value if value is None or isinstance(value, FailureLimit) else FailureLimit.parse(value)


def metric(value: object) -> Metric | None:
    """Return what combinations are ranked by, or None."""
    if value is None or isinstance(value, Metric):
        return value
    example = "loss, or {lowest: loss} or {highest: score} where its name does not tell what is better"
    if isinstance(value, str) and value.strip():
        return Metric(value.strip())
    if isinstance(value, Mapping) and len(value) == 1:
        order, found = next(iter(value.items()))
        if order in ("lowest", "highest") and isinstance(found, str) and found.strip():
            return Metric(found.strip(), order == "lowest")
    raise InputError(f"must name a metric: {example}{_but(value)}")


def environment(value: object) -> dict[str, str]:
    """Return variables by name."""
    if not isinstance(value, Mapping):
        raise InputError(f"must be a mapping such as {{OMP_NUM_THREADS: 1}}{_but(value)}")
    return {_variable(key): _setting(key, item) for key, item in value.items()}


def _variable(key: str) -> str:
    if not re.fullmatch(_VARIABLE, key):
        raise InputError(
            f"{key!r} cannot be the name of an environment variable; use letters, digits and '_'"
        )
    return key


def _setting(key: str, value: object) -> str:
    if value is None:
        raise InputError(f"{key} has no value; write '' for an empty text")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        if "\0" in str(value):
            raise InputError(f"{key} has a NUL character in it, which no environment can hold")
        return str(value)
    raise InputError(f"{key} must be text or a number, not {_what(value)}")


def tags(value: object) -> tuple[str, ...]:
    """Return the tags, each once."""
    if not isinstance(value, (list, tuple)):
        hint = f"; write [{value}]" if isinstance(value, (str, int, float)) else ""
        raise InputError(f"must be a list of texts such as [digits, nightly]{_but(value)}{hint}")
    for item in value:
        if not isinstance(item, str) or not item.strip():
            given = (
                "one of these is empty" if item in (None, "") else f"{_what(item)} is none; put it in quotes"
            )
            raise InputError(f"must be a list of texts, and {given}")
    return tuple(dict.fromkeys(item.strip() for item in value))


def preload(value: object) -> tuple[str, ...] | None:
    """Return the modules, each once; none at all for false, None where a job says nothing about it."""
    if value is None:
        return None
    if value is False:
        return ()
    if not isinstance(value, (list, tuple)):
        hint = f"; write [{value}]" if isinstance(value, str) else ""
        raise InputError(f"must be a list of modules such as [mlflow, sklearn], or false{_but(value)}{hint}")
    for item in value:
        if not isinstance(item, str) or not re.fullmatch(_MODULE, item.strip()):
            raise InputError(
                f"must be a list of modules such as [mlflow, sklearn], and {_what(item)} is none"
            )
    return tuple(dict.fromkeys(item.strip() for item in value))


def cluster(value: object) -> str | ClusterSpec | None:
    """Return the address of a Dask cluster, or the cluster to start, or None."""
    if value is None or isinstance(value, ClusterSpec):
        return value
    example = "{class: distributed.LocalCluster, n_workers: 2}"
    if isinstance(value, str):
        if ":" in value:
            return value.strip()
        if re.fullmatch(_DOTTED, value.strip()):
            raise InputError(
                f"{value!r} is not an address; write {{class: {value.strip()}}} to start that cluster"
            )
    if not isinstance(value, Mapping):
        raise InputError(
            f"must be a scheduler's address such as tcp://127.0.0.1:8786, or {example}{_but(value)}"
        )
    options = dict(value)
    path = options.pop("class", None)
    if not isinstance(path, str):
        raise InputError(f"needs the cluster's class, as in {example}")
    if not re.fullmatch(_DOTTED, path):
        raise InputError(f"class {path!r} must name module and class, as in {example}")
    return ClusterSpec(path, options)


def _but(value: object) -> str:
    return "" if value is None else f", not {_what(value)}"
