"""What the tracker and its worker process say to each other: requests, a reply each, one JSON line each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum

__all__ = [
    "Answer",
    "Attach",
    "Begin",
    "Close",
    "Collect",
    "Discard",
    "Found",
    "Open",
    "Ping",
    "Prepare",
    "Record",
    "Reply",
    "Request",
    "decode_reply",
    "decode_request",
    "encode",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Ask whether the store answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Have the store and an experiment there: MLflow fails, or worse, where several make them at once.

    A process whose `mlflow.set_experiment` finds that another has just made the experiment logs in `Default`.
    """

    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Find or make the job's experiment and the sweep's own run, and set that running.

    `started` (seconds since the epoch) is when the sweep began, None for now. `resume` says that an
    ended run of the sweep goes on.
    """

    sweep: str
    job: str
    name: str
    tags: dict[str, str]
    started: float | None = None
    resume: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """Keep a file as an artifact of a run."""

    run: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Open a run; `search` says that one with these tags may exist already, and is to go on."""

    experiment: str
    name: str
    tags: dict[str, str]
    search: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Write down how a combination ended, in its run; without `run` find that by its tags, or make it.

    Parameters are written now and not at the opening because MLflow never changes one: a script that
    logs its own ``lr`` as 0.001 must not fail over our 1e-3.
    """

    experiment: str
    run: str | None
    name: str
    tags: dict[str, str]
    parameters: dict[str, str]
    outcome: str
    exit_code: int | None
    started: float | None
    ended: float | None
    metrics: dict[str, float]
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Delete a run that nothing will be recorded in."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """End a sweep's own run, and those of its others that still count as running.

    `only_running` leaves the sweep's run as it is where it has ended already.
    """

    experiment: str
    sweep: str
    run: str
    status: str
    ended: float | None
    only_running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """Find the runs of a sweep in all experiments, begun at `since` (seconds since the epoch) or later."""

    sweep: str
    since: float | None = None


Request = Ping | Prepare | Begin | Attach | Open | Record | Discard | Close | Collect
_REQUESTS: dict[str, type[Request]] = {
    kind.__name__: kind for kind in (Ping, Prepare, Begin, Attach, Open, Record, Discard, Close, Collect)
}


class Answer(StrEnum):
    """How a request went."""

    DONE = "done"
    """It is stored for good."""
    AWAY = "away"
    """The store did not answer; the same request may go well later."""
    REFUSED = "refused"
    """The store will never take this request."""
    UNUSABLE = "unusable"
    """MLflow itself cannot be used here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A run that belongs to a combination."""

    key: str
    run: str
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a request; which fields are filled depends on the request.

    `text` is the reason where it did not go well, else a note for the user. `resumed` says that a run
    of an earlier time goes on.
    """

    answer: Answer
    text: str = ""
    experiment: str = ""
    run: str = ""
    resumed: bool = False
    metrics: dict[str, float] = field(default_factory=dict)
    found: tuple[Found, ...] = ()


def encode(number: int, message: Request | Reply) -> bytes:
    """Return the message as one line; a reply has the number of its request."""
    return json.dumps([number, type(message).__name__, asdict(message)]).encode() + b"\n"


def decode_request(line: bytes) -> tuple[int, Request]:
    """Return the number and the request that `line` holds."""
    number, kind, fields = json.loads(line)
    return number, _REQUESTS[kind](**fields)


def decode_reply(line: bytes) -> tuple[int, Reply]:
    """Return the number and the reply that `line` holds; ValueError where it holds none."""
    number, _, fields = json.loads(line)
    found = tuple(Found(**each) for each in fields.pop("found"))
    return number, Reply(**(fields | {"answer": Answer(fields["answer"]), "found": found}))
