"""The combinations of one set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, overload

from sweeplib.errors import PlanError
from sweeplib.jobs import Resources, split_words, too_many_dashes
from sweeplib.jobs.where import missing
from sweeplib.plan.combination import Combination
from sweeplib.plan.identity import prefix, with_variants
from sweeplib.plan.needs import Needs
from sweeplib.plan.picks import rows_of
from sweeplib.plan.rows import Row, names_of
from sweeplib.syntax import number, unquote
from sweeplib.syntax.cells import cells_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweeplib.jobs import Job, Origin, Set, Variant
    from sweeplib.plan.rows import Rows
    from sweeplib.syntax import Cell
    from sweeplib.where import Where

__all__ = ["Part"]

_LOOKED = 100_000  # values that are looked through for amounts of resources


class Part(Sequence[Row]):
    """The combinations of one set, in the order of a product, last parameter fastest.

    `rows` are the parameters that vary within it; None for all that the set has. Raises `PlanError` for what
    cannot be told of them.
    """

    def __init__(
        self,
        job: Job,
        arguments: Sequence[str],
        set_: Set,
        varying: frozenset[str],
        rows: Rows | None = None,
    ) -> None:
        self.job_name = job.entry
        with self._of(set_.origin, ""):
            self.rows = rows_of(set_) if rows is None else rows
        self.constant = set_.cells
        self.varying = varying
        self.size = self.rows.size
        self._job = job
        self._arguments = tuple(arguments)
        self._needs = Needs.of(job, set_)
        self._written = frozenset(set_.names)
        self._groups = {name: set_.groups[name] for name in names_of(set_) if name in set_.groups}
        self.variants = self._chosen(set_)
        """The variants that there are, by the parameter and value that choose each."""
        self._known: dict[tuple[tuple[str, str], ...], tuple[Needs, bytes]] = {}
        self.prefix = self._prefix(self._needs)
        self._hold_amounts(set_)
        said = [self._needs.resources, *(variant.resources for variant in self.variants.values())]
        cpu = (resources.least_cpu(partial(_values_of, set_)) for resources in said)
        self.least_cpu = min((each for each in cpu if each is not None), default=None)
        """The fewest processors that is said of a command, of very many the first; None where none is."""
        self.names_gpu = any(resources.gpu is not None for resources in said)
        """Whether anything is said of GPUs that commands need."""
        self._hold_places()
        self._hold_names()

    def _prefix(self, needs: Needs) -> bytes:
        job = self._job
        return prefix(job.kind, job.words, self._arguments, job.style, needs.add, needs.packages)

    @property
    def add(self) -> tuple[str, ...] | None:
        """What is appended to every command; None where that depends on the variant."""
        return None if any(variant.add for variant in self.variants.values()) else self._needs.add

    def _chosen(self, set_: Set) -> dict[str, Variant]:
        return {
            f"{name}={unquote(value)}": group.variant(value)
            for name, group in self._groups.items()
            for value in _values_of(set_, name, whole=True)
        }

    def needs(self, cells: Iterable[Cell]) -> Needs:
        """Return what goes with the combination that has these parameters."""
        return self._needs if not self._groups else self._of_variants(cells)[0]

    def head(self, cells: Iterable[Cell]) -> bytes:
        """Return what its key is made of besides the parameters (see `sweeplib.plan.identity`).

        Raises `PlanError` where they name a variant that is not there.
        """
        return self.prefix if not self._groups else self._of_variants(cells)[1]

    @property
    def group_names(self) -> frozenset[str]:
        """The parameters whose values are variants."""
        return frozenset(self._groups)

    def head_of_all(self) -> bytes:
        """Return what the key of all as one is made of besides the columns: of variants, those in these."""
        adds = {
            name: split_words(variant.add)
            for name, variant in self.variants.items()
            if variant.add or _is_number(name)
        }
        if adds:
            cells = chain.from_iterable(chain.from_iterable(self.rows.entries))
            present = {f"{cell.key}={unquote(cell.value)}" for cell in cells if cell.key in self._groups}
            adds = {name: adds[name] for name in present & adds.keys()}
        return with_variants(self.prefix, adds)

    def _of_variants(self, cells: Iterable[Cell]) -> tuple[Needs, bytes]:
        chosen = {cell.key: cell.value for cell in cells if cell.key in self._groups}
        names = tuple(chosen.items())
        if names not in self._known:
            needs = self._needs
            for key, value in chosen.items():
                needs = needs.under(self._groups[key].variant(value))
            chosen_names = [f"{key}={unquote(value)}" for key, value in chosen.items()]
            numbers: dict[str, tuple[str, ...]] = {name: () for name in chosen_names if _is_number(name)}
            self._known[names] = needs, with_variants(self._prefix(needs), numbers)
        return self._known[names]

    def _hold_amounts(self, set_: Set) -> None:
        """Raise `PlanError` where an amount is of a parameter that is not there, or is no amount."""
        among = set_.origin.place().path or "this set"
        sources: list[Job | Set | Variant] = [self._job, set_, *self.variants.values()]
        for said in sources:
            over = set_.resources if said is self._job else Resources()
            for name, key in said.resources.names:
                if getattr(over, key) is None:
                    with self._of(said.origin, "resources"):
                        said.resources.hold(name, key, _values_of(set_, name), names_of(set_), among)

    @contextmanager
    def _of(self, origin: Origin, key: str) -> Iterator[None]:
        """Give what is raised of the value of a key its place; where that is in no file, that of the job."""
        try:
            with origin.of(key):
                yield
        except PlanError as error:
            if error.place is not None and error.place.file is not None:
                raise
            raise PlanError(f"job {self.job_name!r}: {error}") from None

    def _hold_places(self) -> None:
        """Raise `PlanError` where a variant is to run on a cluster that the job file does not have."""
        for variant in self.variants.values():
            if text := missing(variant.where, self._job.clusters):
                with self._of(variant.origin, "where"):
                    raise PlanError(text)

    def _hold_names(self) -> None:
        """Raise `PlanError` where a variant's parameter is written with the dashes that the style writes."""
        if self._job.style == "flags":
            for variant in self.variants.values():
                for name in variant.files:
                    if text := too_many_dashes(name):
                        raise PlanError(text, variant.place(name))

    @property
    def places(self) -> frozenset[Where | None]:
        """Where its combinations run, None for where all that have no place do."""
        of_groups: dict[str, set[Where | None]] = {}
        for name, variant in self.variants.items():
            of_groups.setdefault(name.partition("=")[0], set()).add(variant.where)
        said = {place for places in of_groups.values() for place in places if place is not None}
        # A group that variants bring is in some combinations only.
        if any(None not in places for name, places in of_groups.items() if name in self._written):
            return frozenset(said)
        return frozenset({self._needs.where, *said})

    def hold_needs_of_one(self) -> None:
        """Raise `PlanError` for what one command for all combinations cannot have for some of them alone."""
        for name, variant in self.variants.items():
            said = sorted(variant.written().keys() - {"each", "all", "add"})
            if said:
                msg = (
                    f"job {self.job_name!r} is one command, so {' and '.join(said)} of {name} "
                    "cannot be for it alone; say it of the job"
                )
                raise PlanError(msg, variant.origin.place())

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        found = self.rows[index]
        if isinstance(found, list):
            return [row + self.constant for row in found]
        return found + self.constant

    def __iter__(self) -> Iterator[Row]:
        for row in self.rows:
            yield row + self.constant

    def combination(self, index: int, position: int) -> Combination:
        """Return the combination at `index`, which is at `position` in the plan."""
        return Combination(self, position, self[index])

    def combinations(self, position: int) -> Iterator[Combination]:
        """Yield all, the first of which is at `position` in the plan."""
        for place, row in enumerate(self, position):
            yield Combination(self, place, row)


def _is_number(variant: str) -> bool:
    """Tell whether a variant is called as a number is written: 1.1 and 1.10 are one number, and two files."""
    return number(variant.partition("=")[2]) is not None


def _values_of(set_: Set, name: str, *, whole: bool = False) -> list[str]:
    """Return the values of a parameter, each once; of very many the first, unless the `whole` is wanted."""
    most = None if whole else _LOOKED
    cells = list(set_.cells)
    for column in set_.columns:
        if name in column.keys:
            cells += [cell for entry in column[:most] for cell in cells_of(entry)]
    return list(dict.fromkeys(cell.value for cell in cells if cell.key == name))
