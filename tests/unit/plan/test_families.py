"""Which combinations on record are of the families of a plan, and which are of the same."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.jobs import Group, Job
from sweeplib.plan import Command, Line, ListPlan, Plan
from tests.plans import job, plan

if TYPE_CHECKING:
    from pathlib import Path

TWO = ({"each": "a=1,2", "add": "--small"}, {"each": "a=1,2", "add": "--large"})


def recorded(before: Plan, now: Plan) -> list[str | None]:
    """Return the families that a plan sees in what another one has done."""
    lines = [each.text if isinstance(each, Line) else "" for each in before]
    return [
        now.families.on_record(each.key, each.parameters, text)
        for each, text in zip(before, lines, strict=True)
    ]


def own(made: Plan) -> list[str | None]:
    return [made.families.of(each, each.parameters) for each in made]


@pytest.mark.parametrize(
    "made",
    [
        plan("a=1m,2 b=x,y", arguments=["-q"], add="--fast"),
        plan("a='1,2','3,4',x b=\"1:3\",2", style="hydra"),
        plan({"each": "a=1,2", "all": "t='x y'", "with": ["rich"], "include": ["a=7 b='u,v'"]}),
        plan(*TWO, {"each": "b=1"}),
    ],
    ids=lambda made: made.job.sets[0].each,
)
def test_what_a_plan_has_done_itself_counts(made: Plan) -> None:
    assert recorded(made, made) == own(made)


@pytest.mark.parametrize(
    "fields",
    [
        {"arguments": ["epochs=1"]},
        {"run": "python other.py"},
        {"add": "--slow"},
        {"with": ["rich==1"]},
        {"style": "flags"},
    ],
    ids=str,
)
def test_what_another_command_did_does_not_count(fields: dict[str, Any]) -> None:
    arguments = fields.pop("arguments", ())
    fields = {"packages" if name == "with" else name: value for name, value in fields.items()}
    other = plan("a=1,2", arguments=arguments, **fields)
    assert recorded(other, plan("a=1,2")) == [None, None]


def test_other_values_and_what_is_no_part_of_a_command_change_nothing() -> None:
    before = plan("a=1,2 b=3", timeout="1h", env={"X": "1"})
    assert recorded(before, plan("a=5")) == ["0", "0"]


def test_sets_with_other_arguments_are_told_apart() -> None:
    assert own(plan(*TWO, {"each": "b=1", "add": "--small"})) == ["0", "0", "1", "1", "0"]
    changed = plan(TWO[0], TWO[1] | {"add": "--huge"})
    assert recorded(plan(*TWO), changed) == ["0", "0", None, None]


def test_what_another_variant_did_does_not_count(tmp_path: Path) -> None:
    def made(**variants: str) -> Plan:
        for name, text in variants.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        one = job(f"n=1 backend={','.join(variants)}")
        object.__setattr__(one.sets[0], "groups", {"backend": Group("backend", "", str(tmp_path))})
        return Plan(one)

    before = made(pandas="", polars="add: --lazy")
    assert recorded(before, before) == own(before) == ["0", "0"]
    assert recorded(before, made(pandas="", polars="add: --eager")) == ["0", None]
    (tmp_path / "polars.yaml").unlink()
    assert recorded(before, made(pandas="")) == ["0", None]


def test_a_part_is_found_as_fast_among_many_as_alone() -> None:
    many = plan(*({"each": "a=1:300 b=1:2", "add": f"--set {number}"} for number in range(300)))

    def seconds(number: int) -> float:
        records = [(each.key, each.parameters, "") for each in many.parts[number].combinations(0)]
        began = time.process_time()
        assert {many.families.on_record(*record) for record in records} == {str(number)}
        return time.process_time() - began

    seconds(0)
    assert min(seconds(299) for _ in range(3)) < 10 * min(seconds(0) for _ in range(3))


def test_lines_are_known_by_what_they_are_without_values(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("python a.py --x=1\npython a.py --x=2\npython b.py --x=1\nmake\n")
    made = Plan(Job(name="l", launch="lines").at("l", str(tmp_path)))
    texts = ["python a.py --x=", "python a.py --x=", "python b.py --x=", "make"]
    assert recorded(made, made) == texts
    assert recorded(made, made) == own(made)
    assert recorded(plan("x=1"), made) == [None]


def test_a_submit_job_is_known_as_a_whole() -> None:
    made = plan("a=1,2", submit="s")
    count = {"combinations": "2"}
    assert made.families.on_record(made.key, count, "") == made.families.of(None, count)
    assert plan("a=1,3", submit="s").families.on_record(made.key, count, "") is None


def test_commands_that_are_given_are_one_family() -> None:
    command = Command(position=0, key="k", label="", argv=("true",))
    made = ListPlan(job("a=1"), [command])
    assert made.families.on_record("any", {"a": "1"}, "") == made.families.of(command, {}) == ""
