"""Types of a job's fields: each reads one value of a YAML file, or says in a sentence what it must be.

A sentence goes on after the name of the place: ``jobs.train.parallel: must be …``.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, PlainSerializer
from pydantic_core import PydanticCustomError

from sweeplib.errors import InputError, nearest
from sweeplib.jobs.units import FailureLimit, parse_duration
from sweeplib.jobs.words import split_words
from sweeplib.syntax import parse_all, parse_each

__all__ = [
    "Add",
    "All",
    "Call",
    "Cluster",
    "ClusterSpec",
    "Command",
    "Count",
    "Delays",
    "Each",
    "Environment",
    "MaxFailures",
    "Name",
    "Parallel",
    "Style",
    "Tags",
    "Timeout",
    "Tracking",
    "check",
    "mistake",
    "name",
]

T = TypeVar("T")

STYLES = ("hydra", "plain", "flags", "kwargs")
_SWEEP = "model=small,large lr=0.1"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """A Dask cluster to start for a sweep: the class's dotted path and its keyword arguments."""

    class_: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def check(read: Callable[[object], object]) -> BeforeValidator:
    """Return a validator that hands pydantic what `read` makes; its `InputError` becomes a mistake."""
    return BeforeValidator(_wrapped(read))


def _wrapped(read: Callable[[object], T]) -> Callable[[object], T]:
    def validate(value: object) -> T:
        try:
            return read(value)
        except InputError as error:
            raise mistake([(None, error)]) from None

    return validate


def mistake(errors: list[tuple[str | None, InputError]], kind: str = "mistake") -> PydanticCustomError:
    """Return what pydantic collects: the errors themselves, each with the field below the place, if any."""
    text = "; ".join(f"{name}: {error}" if name else str(error) for name, error in errors)
    return PydanticCustomError(kind, "{text}", {"text": text, "errors": errors})


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


def _command(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(item, (str, int, float)) for item in value):
        raise InputError(f"must be text, not a list; write {shlex.join(map(str, value))}")
    text = _text(value, "python train.py")
    split_words(text)
    return text


def _call(value: object) -> str:
    text = _command(value)
    words = split_words(text)
    if words and not _DOTTED.fullmatch(words[0]):
        raise InputError(
            f"must name a function in a module, such as package.module.function, not {words[0]!r}"
        )
    if words and words[0].endswith(".py"):
        raise InputError(
            f"must name a function in a module; to run the file {words[0]}, write run: python {text}"
        )
    return text


def _each(value: object) -> str:
    text = _text(value, _SWEEP)
    parse_each(text)
    return text


def _all(value: object) -> str:
    text = _text(value, _SWEEP)
    parse_all(text)
    return text


def _add(value: object) -> str:
    text = _text(value, "hydra/launcher=joblib")
    split_words(text)
    return text


def name(value: object) -> str:
    """Return a job's name; raises `InputError` if files and addresses cannot be named after it."""
    text = _text(value, "train")
    if not _NAME.fullmatch(text):
        raise InputError(
            f"{text!r} cannot be a job's name; use letters A-Z and a-z, digits, '_', '-' and '.', "
            "and begin with a letter, a digit or '_'"
        )
    return text


def _style(value: object) -> str:
    text = _text(value, "flags")
    if text not in STYLES:
        close = nearest(text, STYLES) or f"; the styles are {', '.join(STYLES)}"
        raise InputError(f"there is no style {text!r}{close}")
    return text


def _tracking(value: object) -> bool | Literal["own"]:
    if isinstance(value, bool):
        return value
    if value == "own":
        return "own"
    raise InputError(f"must be true, false or own{'' if value is None else f', not {_what(value)}'}")


def _whole(least: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            given = "" if value is None else f", not {_what(value)}"
            raise InputError(f"must be a whole number, {least} or more{given}")
        return value

    return read


def _parallel(value: object) -> int | None:
    return None if value is None else _whole(1)(value)


def _timeout(value: object) -> float | None:
    if value is None:
        return None
    seconds = parse_duration(value)
    if not seconds:
        raise InputError("must be longer than 0; to have no timeout, take the key out")
    return seconds


def _delays(value: object) -> tuple[float, ...]:
    return tuple(map(parse_duration, value if isinstance(value, (list, tuple)) else [value]))


def _max_failures(value: object) -> FailureLimit | None:
    return value if value is None or isinstance(value, FailureLimit) else FailureLimit.parse(value)


def _environment(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InputError(f"must be a mapping such as {{OMP_NUM_THREADS: 1}}{_but(value)}")
    return {_variable(key): _setting(key, item) for key, item in value.items()}


def _variable(key: str) -> str:
    if not _VARIABLE.fullmatch(key):
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


def _tags(value: object) -> tuple[str, ...]:
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


def _cluster(value: object) -> str | ClusterSpec | None:
    if value is None or isinstance(value, ClusterSpec):
        return value
    example = "{class: distributed.LocalCluster, n_workers: 2}"
    if isinstance(value, str):
        if ":" in value:
            return value.strip()
        if _DOTTED.fullmatch(value.strip()):
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
    if not _DOTTED.fullmatch(path):
        raise InputError(f"class {path!r} must name module and class, as in {example}")
    return ClusterSpec(path, options)


def _but(value: object) -> str:
    return "" if value is None else f", not {_what(value)}"


def _written(value: str | FailureLimit | ClusterSpec | None) -> str | dict[str, Any] | None:
    """Return a value as a job file has it."""
    if isinstance(value, ClusterSpec):
        return {"class": value.class_, **value.arguments}
    return value if value is None else str(value)


Name = Annotated[str, check(name)]
Command = Annotated[str, check(_command)]
Call = Annotated[str, check(_call)]
Each = Annotated[str, check(_each)]
All = Annotated[str, check(_all)]
Add = Annotated[str, check(_add)]
Style = Annotated[Literal["hydra", "plain", "flags", "kwargs"], check(_style)]
Tracking = Annotated[bool | Literal["own"], check(_tracking)]
Count = Annotated[int, check(_whole(0))]
Parallel = Annotated[int | None, check(_parallel)]
Timeout = Annotated[float | None, check(_timeout)]
Delays = Annotated[tuple[float, ...], check(_delays)]
MaxFailures = Annotated[FailureLimit | None, check(_max_failures), PlainSerializer(_written)]
Environment = Annotated[Mapping[str, str], check(_environment)]
Tags = Annotated[tuple[str, ...], check(_tags)]
Cluster = Annotated[str | ClusterSpec | None, check(_cluster), PlainSerializer(_written)]
