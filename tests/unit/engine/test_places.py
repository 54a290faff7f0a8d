"""What runs next at each place: in the order of the plan there, and nobody waits for another place."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from sweeplib.engine import LocalSubmitter
from sweeplib.engine.execution import Item
from sweeplib.engine.places import Places
from sweeplib.ledger import Submission
from sweeplib.plan import Needs
from sweeplib.run.model import Work
from sweeplib.where import HERE, Where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweeplib.engine import Finished

BIG, NIGHT = Where("cluster", "big"), Where("pool", "night")


class Several:
    """A real submitter a place, as one."""

    def __init__(self, parallel: Mapping[Where, int]) -> None:
        self.each = {where: LocalSubmitter(count) for where, count in parallel.items()}
        self.parallel = sum(parallel.values())
        self.window = sum(each.window for each in self.each.values())
        self.batch = 1

    @property
    def running(self) -> int:
        return sum(each.running for each in self.each.values())

    def at(self, where: Where | None) -> LocalSubmitter:
        assert where is not None
        return self.each[where]

    def submit(self, work: Work) -> None:
        self.at(work.where).submit(work)

    def wait(self, timeout: float) -> list[Finished]:
        found = [each for one in self.each.values() for each in one.wait(0.01)]
        return found or list(self.at(HERE).wait(timeout / 10))

    def stop(self, *, at_once: bool = False) -> None:
        for each in self.each.values():
            each.stop(at_once=at_once)


def item(number: int, where: Where) -> Item:
    submission = Submission(key=str(number), position=number, label="", parameters={}, command="")
    return Item(submission, (), Needs(where=where))


def work(of: Item) -> Work:
    key = of.submission.key
    return Work("s", "j", key, of.submission.position, "", (), "", "", where=of.needs.where)


def numbers(items: Sequence[Item]) -> list[int]:
    return [each.submission.position for each in items]


def places(submitter: Several, wheres: Sequence[Where], ahead: int = 100) -> Places:
    source = (item(number, where) for number, where in enumerate(wheres))
    return Places(source, submitter, submitter.each, ahead)


def test_a_full_place_keeps_no_other_idle() -> None:
    found = places(Several({HERE: 1, BIG: 1}), [BIG] * 6 + [HERE] * 3)
    first = found.take(64)
    assert numbers(first) == [0, 1, 6, 7], "two windows"
    for each in first:
        found.submitted(work(each))
    assert found.take(64) == []
    assert not found.exhausted
    found.ended(work(first[3]))
    assert numbers(found.take(64)) == [8]
    found.ended(work(first[0]))
    assert numbers(found.take(64)) == [2], "what was put aside, in its order"


def test_no_more_is_put_aside_than_is_allowed() -> None:
    read = []
    submitter = Several({HERE: 1, BIG: 1})

    def source() -> Any:
        for number in range(100):
            read.append(number)
            yield item(number, BIG)

    found = Places(source(), submitter, submitter.each, ahead=10)
    for each in found.take(64):
        found.submitted(work(each))
    assert found.take(64) == []
    assert len(read) == 2 + 10


@given(st.lists(st.sampled_from([HERE, BIG, NIGHT])), st.integers(1, 5), st.integers(1, 3), st.data())
def test_everything_is_handed_out_once_and_in_order_at_each_place(
    wheres: list[Where], most: int, ahead: int, data: st.DataObject
) -> None:
    submitter = Several({HERE: 1, BIG: 2, NIGHT: 1})
    found = places(submitter, wheres, ahead)
    out: list[Item] = []
    taken: list[Item] = []
    while not found.exhausted or out:
        batch = found.take(most)
        assert len(batch) <= most
        for each in batch:
            found.submitted(work(each))
        out += batch
        taken += batch
        for where, one in submitter.each.items():
            assert sum(each.needs.where == where for each in out) <= one.window
        assert out or not batch
        if out:
            ended = out.pop(data.draw(st.integers(0, len(out) - 1)))
            found.ended(work(ended))
    assert sorted(numbers(taken)) == list(range(len(wheres)))
    for where in submitter.each:
        of_place = [each for each in numbers(taken) if wheres[each] == where]
        assert of_place == sorted(of_place)


def test_a_sweep_at_two_places(lab: Any) -> None:
    """Those at one place wait for the end of those at the other, which stand behind them in the plan."""
    lab.script('case "$1" in i=1?) while test ! -e free; do sleep 0.01; done;; *) echo "$1" >> ran;; esac')
    made = lab.plan(
        {"each": "i=10:13", "where": "big"}, {"each": "i=1:3", "where": "here"}, clusters={"big": "tcp://x:1"}
    )
    submitter = Several({HERE: 1, BIG: 1})

    def free() -> None:
        while len(lab.ran()) < 3:
            pass
        (lab.folder / "free").touch()

    thread = threading.Thread(target=free)
    thread.start()
    summary = lab.run(made, submitter=submitter)
    thread.join()
    assert summary.ok
    assert summary.progress.completed == 7
    assert (submitter.running, submitter.parallel) == (0, 2)
