"""A document → jobs, with every mistake in it collected in the words of the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sweeplib.errors import InputError, JobFileError, nearest
from sweeplib.interpreter import head_length
from sweeplib.jobs.fields import cluster as read_cluster
from sweeplib.jobs.fields import name as job_name
from sweeplib.jobs.grouping import Group, group
from sweeplib.jobs.groups import brought
from sweeplib.jobs.models import Deployment, Job, Policy, Set
from sweeplib.jobs.notes import Notes
from sweeplib.jobs.origin import Origin
from sweeplib.jobs.schema import Mistake, Mistakes
from sweeplib.jobs.where import cluster_name, missing
from sweeplib.jobs.words import split_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sweeplib.jobs.fields import ClusterSpec
    from sweeplib.jobs.schema import Path
    from sweeplib.where import Where

__all__ = ["Reading"]

_TOP = ("defaults", "clusters", "jobs")


@dataclass(slots=True)
class Reading(Notes):
    """The reading of one document; `folder` is that of the file, `clusters` are those it has names for.

    `wrong` are the jobs with mistakes of their own, each with these as one error.
    """

    folder: str = ""
    wrong: dict[str, InputError] = field(default_factory=dict)
    clusters: dict[str, str | ClusterSpec] = field(default_factory=dict)
    of_jobs: int = 0
    """How many of the mistakes are those of jobs."""

    def jobs(self) -> dict[str, Job]:
        """Return the jobs that could be read, by the name they stand under."""
        top = self.document.value
        if not isinstance(top, dict):
            self.note((), "must be a mapping with the key 'jobs'; begin with 'jobs:'")
            return {}
        for key in top:
            if key not in _TOP:
                self.note((), _unknown_at_top(key, top[key]), (key,))
        self.read_clusters(top.get("clusters"))
        defaults = self.defaults(top.get("defaults"))
        jobs = top.get("jobs")
        if "jobs" not in top:
            if not self.mistakes:
                self.note((), "has no jobs; write them under the key 'jobs:'")
        elif not isinstance(jobs, dict) or not jobs:
            empty = "is empty" if not jobs else "must be a mapping from names to jobs"
            self.note(("jobs",), f"{empty}; write a job such as train: {{run: python train.py, sets: [...]}}")
        else:
            return dict(self._each_job(jobs, defaults))
        return {}

    def _each_job(self, jobs: dict[str, object], defaults: dict[str, Any]) -> Iterator[tuple[str, Job]]:
        for name, content in jobs.items():
            before = len(self.mistakes)
            job = self.job(name, content, defaults)
            if mine := self.mistakes[before:]:
                self.wrong[name] = self.error_of(mine)
                self.of_jobs += len(mine)
            elif job is not None:
                yield name, job

    def error_of_file(self) -> InputError | None:
        """Return what is wrong with the file besides its jobs, with what is wrong with these."""
        return self.error() if len(self.mistakes) > self.of_jobs else None

    def read_clusters(self, given: object) -> None:
        """Keep the clusters by name, those that cannot be read as well: they are there."""
        if given is None:
            return
        if not isinstance(given, dict):
            self.note(("clusters",), "must be a mapping from names to clusters, {big: tcp://10.0.0.1:8786}")
            return
        for name, content in given.items():
            self.clusters[name] = ""
            try:
                found = read_cluster(content)
                if found is None:
                    raise InputError(f"has no value; write an address, such as {name}: tcp://10.0.0.1:8786")
                self.clusters[cluster_name(name)] = found
            except InputError as error:
                self.put(("clusters", name), error)

    def defaults(self, given: object) -> dict[str, Any]:
        """Return what stands under every job, without what is wrong with it."""
        path: Path = ("defaults",)
        if given is None:
            return {}
        if not isinstance(given, dict):
            self.note(path, "must be a mapping such as {retries: 1}")
            return {}
        raw = self.with_texts(given, path)
        try:
            policy = Policy.read(raw)
        except Mistakes as error:
            wrong = {each.path[0] for each in error.mistakes}
            self.collect(error.mistakes, path, _unknown_in_defaults)
            return {key: value for key, value in raw.items() if key not in wrong}
        if text := missing(policy.where, self.clusters):
            self.note((*path, "where"), text)
            del raw["where"]
        return raw

    def job(self, name: str, content: object, defaults: dict[str, Any]) -> Job | None:
        """Return one job, or None if something is wrong with it."""
        path: Path = ("jobs", name)
        try:
            job_name(name)
        except InputError as error:
            self.note(path, str(error))
            name = "_"
        if not isinstance(content, dict):
            what = "has nothing in it" if content is None else "must be a mapping"
            self.note(
                path, f"{what}; a job has a command and sets, as in {{run: python train.py, sets: [...]}}"
            )
            return None
        raw = defaults | self.with_texts(content, path)
        if isinstance(raw.get("env"), dict):
            raw["env"] = defaults.get("env", {}) | raw["env"]
        if raw.get("name", "") == "":
            raw["name"] = name
        groups = self.groups(raw, path)
        if "preload" not in content and not _is_python(raw):
            raw.pop("preload", None)  # the defaults' is for those that can have one
        if "groups" not in content and "launch" in raw:
            raw.pop("groups", None)
        try:
            origin = self.origin(path, content, defaults, groups)
            job = Job.read(raw).at(name, self.folder, self.clusters, origin)
        except Mistakes as error:
            meant = {_meant(each) for each in error.mistakes}
            found = [each for each in error.mistakes if meant.isdisjoint(_lacking(each, raw))]
            if "sets" not in raw:
                found = [Mistake((), each.error) if each.path == ("sets",) else each for each in found]
            self.collect(found, path, _unknown_in_job, groups)
            return None
        self.hold_places(job, path, groups)
        if "groups" in content:  # the defaults' are for those that have such parameters
            self.hold_groups(job, path)
        return job

    def origin(
        self, path: Path, content: dict[str, Any], defaults: dict[str, Any], groups: Sequence[Group]
    ) -> Origin:
        """Return where the keys of a job and of its sets stand."""
        others: dict[str, Path] = {key: ("defaults", key) for key in defaults if key not in content}
        sets = []
        for one in groups:
            base = (*path, "sets", one.first)
            apart = {key: (*path, "sets", item, key) for key, item in one.origin.items() if item != one.first}
            sets.append(Origin(self.document, base, apart))
        return Origin(self.document, path, others, tuple(sets))

    def hold_places(self, job: Job, path: Path, groups: Sequence[Group]) -> None:
        """Note the clusters that a job or its sets are to run on, and that there are no names for."""
        said: list[tuple[Path, Where | None]] = [(("where",), job.where)]
        said += [(("sets", number, "where"), one.where) for number, one in enumerate(job.sets)]
        for below, place in said:
            if text := missing(place, self.clusters):
                self.note((*path, *_in_file(below, groups)), text)

    def hold_groups(self, job: Job, path: Path) -> None:
        """Note the groups that no set has a parameter for, where variants can be read: a plan needs them."""
        names: Iterable[str]
        names = {name: None for set_ in job.sets for each in (set_, *set_.included) for name in each.names}
        if not job.groups.keys() <= set(names):
            known = {name: group for set_ in job.sets for name, group in set_.groups.items()}
            try:
                names = brought(names, known)
            except JobFileError:
                return
        for name in job.groups:
            if name not in names:
                close = nearest(name, names) or f"; the parameters are {', '.join(names) or 'none'}"
                self.note((*path, "groups", name), f"no set has the parameter {name!r}{close}")

    def groups(self, raw: dict[str, Any], path: Path) -> list[Group]:
        """Put the sets as understood in the place of the items of `sets`."""
        items = raw.get("sets")
        if not isinstance(items, list):
            return []
        groups, repeated = group(items)
        for one in repeated:
            line = self.document.line((*path, "sets", one.earlier, one.key))
            message = (
                f"this set has {one.key!r} already (line {line}); write both in one text, "
                "or begin another set with each: ''"
            )
            self.note((*path, "sets", one.item, one.key), message)
        raw["sets"] = [one.content for one in groups]
        return groups

    def collect(
        self,
        mistakes: Sequence[Mistake],
        base: Path,
        unknown: Callable[[str], str],
        groups: Sequence[Group] = (),
    ) -> None:
        """Note all that is wrong with the content of `base`."""
        for each in mistakes:
            path = (*base, *_in_file(each.path, groups))
            if each.error is None:
                name = str(each.path[-1])
                message = unknown(name) if len(each.path) == 1 else _UNKNOWN_BELOW[str(each.path[0])](name)
                self.put(path[:-1], InputError(message), path)
            else:
                self.put(path, each.error)


def _is_python(raw: dict[str, Any]) -> bool:
    """Tell whether a job may have a preload, as far as its command can be read."""
    run = raw.get("run")
    try:
        return "call" in raw or (isinstance(run, str) and head_length(split_words(run)) is not None)
    except InputError:
        return False


def _in_file(path: Path, groups: Sequence[Group]) -> Path:
    """Return a path into the sets as understood as the path in the file."""
    if len(path) < 2 or path[0] != "sets" or not groups:
        return path
    one = groups[int(path[1])]
    item = one.origin.get(str(path[2]), one.first) if len(path) > 2 else one.first
    return ("sets", item, *path[2:])


def _unknown(key: str, valid: Sequence[str]) -> str:
    return f"unknown key {key!r}" + (nearest(key, valid) or f"; the keys here are {', '.join(valid)}")


_KINDS = ("run", "call", "submit", "launch")
_OF_DEFAULTS = tuple(Policy.defaults())
_OF_DEPLOYMENT = tuple(Deployment.defaults())
_OF_JOB = (*_KINDS, "sets", "deployments", *_OF_DEFAULTS, "name")
_OF_SET = tuple(Set.defaults())


def _lacking(mistake: Mistake, raw: dict[str, Any]) -> set[str]:
    """Return the keys of which one would be enough: misspelt, it is the only mistake to speak of."""
    if mistake.path == () and not raw.keys() & set(_KINDS):
        return set(_KINDS)
    return {"sets"} if mistake.path == ("sets",) and "sets" not in raw else set()


def _meant(mistake: Mistake) -> str:
    """Return the job's key that an unknown one is nearest to, or an empty text."""
    if mistake.error is not None or len(mistake.path) > 1:
        return ""
    return "".join(get_close_matches(str(mistake.path[0]), _OF_JOB, n=1, cutoff=0.6))


def _unknown_in_job(key: str) -> str:
    if key in _OF_SET:
        return f"{key!r} belongs to a set; write sets: [{{{key}: ...}}]"
    return _unknown(key, _OF_JOB)


def _unknown_in_set(key: str) -> str:
    if key in _OF_JOB:
        return f"{key!r} belongs to the job, not to one of its sets; move it beside 'sets'"
    return _unknown(key, _OF_SET)


def _unknown_in_deployment(key: str) -> str:
    if key in _OF_JOB and key not in _OF_DEPLOYMENT:
        return f"{key!r} belongs to the job, not to one of its deployments; move it beside 'deployments'"
    return _unknown(key, _OF_DEPLOYMENT)


_UNKNOWN_BELOW = {"sets": _unknown_in_set, "deployments": _unknown_in_deployment}


def _unknown_in_defaults(key: str) -> str:
    if key in (*_OF_JOB, *_OF_SET):
        return f"{key!r} cannot be a default; write it in every job"
    return _unknown(key, _OF_DEFAULTS)


def _unknown_at_top(key: str, content: object) -> str:
    if isinstance(content, dict) and content.keys() & {"run", "call", "submit", "sets"}:
        return f"the job {key!r} must stand under the key 'jobs'; indent it below 'jobs:'"
    if key in _OF_DEFAULTS:
        return f"{key!r} belongs to a job, or under the key 'defaults' for all jobs"
    return _unknown(key, _TOP)
