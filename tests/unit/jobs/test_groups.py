"""Groups: variants in files, patterns, and what a variant brings to its combinations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeplib.amounts import Amounts
from sweeplib.command import lines
from sweeplib.errors import InputError
from sweeplib.plan import Plan
from sweeplib.where import HERE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.jobs.conftest import Read

BACKENDS = {
    "duckdb": "with: [duckdb==1.1.3]\nresources: {cpu: 1}\n",
    "pandas": "",
    "polars": (
        "with: [polars==1.17.1, numpy<2]\neach: threads=1,2\nall: engine=streaming\n"
        "resources: {cpu: '${threads}'}\nenv: {POLARS_X: 1.10, A: 2}\ntimeout: 1m\nadd: --lazy\n"
    ),
}


@pytest.fixture
def backends(folder: Path) -> Path:
    """Write the variants of a group; return their folder."""
    where = folder / "backends"
    where.mkdir()
    for name, text in BACKENDS.items():
        (where / f"{name}.yaml").write_text(text, encoding="utf-8")
    return where


def job(read: Read, *sets: str, more: str = "") -> Plan:
    items = "".join(f"      - {one}\n" for one in sets)
    return Plan(
        read(
            "jobs:\n  bench:\n    run: python bench.py\n    style: plain\n"
            f"    groups: {{backend: backends/}}\n{more}    sets:\n{items}"
        ).job("bench")
    )


def commands(plan: Plan) -> list[str]:
    return [line.removeprefix("python bench.py ") for line in lines(plan)]


PANDAS, DUCKDB = "backend=pandas", "backend=duckdb"
POLARS = [f"backend=polars threads={n} engine=streaming" for n in (1, 2)]


def test_a_variant_brings_its_parameters(read: Read, backends: Path) -> None:
    plan = job(read, "each: n=1,2 backend=pandas,polars")
    assert commands(plan) == [
        "n=1 backend=pandas",
        *(f"n=1 {each} --lazy" for each in POLARS),
        "n=2 backend=pandas",
        *(f"n=2 {each} --lazy" for each in POLARS),
    ]
    assert len(plan) == 6
    assert len({each.key for each in plan}) == 6


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("*", ["duckdb", "pandas", "polars"]),
        ("p*", ["pandas", "polars"]),
        ("*,!duck*", ["pandas", "polars"]),
        ("pandas,*", ["pandas", "duckdb", "polars"]),
        ("*,!p*,polars", ["duckdb", "polars"]),
        ("p?????", ["pandas", "polars"]),
        ("[dp]*,!pandas,!polars", ["duckdb"]),
        ("*,!modin,!x*", ["duckdb", "pandas", "polars"]),
        ("'polars'", ["polars"]),
    ],
)
def test_patterns(read: Read, backends: Path, value: str, names: list[str]) -> None:
    plan = job(read, f'each: "backend={value}"')
    assert list(dict.fromkeys(each.parameters["backend"] for each in plan)) == names


def test_a_new_file_is_a_new_variant(read: Read, backends: Path) -> None:
    before = [each.key for each in job(read, "each: backend=*")]
    (backends / "modin.yaml").write_text("", encoding="utf-8")
    after = [each.key for each in job(read, "each: backend=*")]
    assert len(after) == len(before) + 1
    assert set(before) < set(after)


def test_hidden_files_are_no_variants(read: Read, backends: Path) -> None:
    for name in (".#pandas.yaml", "._polars.yaml", ".yaml", "notes.txt"):
        (backends / name).write_text(": no YAML [", encoding="utf-8")
    (backends / ".#duckdb.yaml").symlink_to("someone@somewhere.4711")  # an editor's lock
    assert list(job(read, "each: backend=*").sets[0].groups["backend"].variants) == list(BACKENDS)


def test_what_belongs_to_a_combination(read: Read, backends: Path) -> None:
    more = "    with: [polars==1.0, pyarrow]\n    resources: {cpu: 4, memory: 1GB}\n    env: {A: 1, B: 1}\n"
    plan = job(read, "{each: 'backend=pandas,polars', with: [rich]}", more=more + "    timeout: 1h\n")
    pandas, first, second = plan
    needs = plan.needs(pandas)
    assert needs.packages == ("polars==1.0", "pyarrow", "rich")
    assert (needs.env, needs.timeout, needs.add) == ({"A": "1", "B": "1"}, 3600.0, ())
    assert needs.resources.of(pandas.parameters) == Amounts(4.0, 1_000_000_000)
    needs = plan.needs(second)
    assert needs == plan.needs(first)
    assert needs.packages == ("numpy<2", "polars==1.17.1", "pyarrow", "rich")
    assert needs.env == {"A": "2", "B": "1", "POLARS_X": "1.10"}
    assert (needs.timeout, needs.add) == (60.0, ("--lazy",))
    assert needs.resources.of(second.parameters) == Amounts(2.0, 1_000_000_000)


def test_packages_take_part_in_the_key_and_the_rest_does_not(read: Read, backends: Path) -> None:
    def key(more: str = "", backend: str = "duckdb") -> str:
        return job(read, f"each: backend={backend}", more=more)[0].key

    base = key()
    assert key("    resources: {memory: 1GB}\n    env: {A: 1}\n    timeout: 5s\n") == base
    assert key("    with: [rich]\n") != base
    assert key("    with: [rich, numpy]\n") == key("    with: [numpy, rich]\n")
    (backends / "duckdb.yaml").write_text("with: [duckdb==1.2]\n", encoding="utf-8")
    assert key() != base
    (backends / "duckdb.yaml").write_text("resources: {gpu: 1}\nwith: ['duckdb==1.1.3']\n", encoding="utf-8")
    assert key() == base


def test_where_a_group_may_stand(read: Read, backends: Path) -> None:
    assert commands(job(read, "{each: n=1, all: backend=polars}")) == [
        f"n=1 {each} --lazy" for each in POLARS
    ]
    stepped = job(read, "zip: 'n=1,2 backend=pandas,duckdb'")
    assert commands(stepped) == [f"n=1 {PANDAS}", f"n=2 {DUCKDB}"]
    included = job(read, "{each: n=1, include: ['n=3 backend=pandas']}")
    assert commands(included) == ["n=1", f"n=3 {PANDAS}"]
    drawn = job(read, "{each: 'backend=~choice(pandas,duckdb)', n: 4}")
    assert set(commands(drawn)) <= {PANDAS, DUCKDB}


def test_conditions_on_what_variants_bring(read: Read, backends: Path) -> None:
    plan = job(read, "{each: 'backend=*', exclude: threads == 2}")
    assert commands(plan) == [DUCKDB, PANDAS, f"{POLARS[0]} --lazy"]
    plan = job(read, "{each: 'backend=*', exclude: backend == 'polars'}")
    assert commands(plan) == [DUCKDB, PANDAS]


def test_a_selection(read: Read, backends: Path) -> None:
    whole = job(read, "each: n=1,2 backend=*").job
    assert commands(Plan(whole, only="backend=polars threads=2 n=1")) == [f"n=1 {POLARS[1]} --lazy"]
    assert commands(Plan(whole, only="backend=pandas")) == [f"n=1 {PANDAS}", f"n=2 {PANDAS}"]


def test_labels_have_what_varies(read: Read, backends: Path) -> None:
    assert [each.label for each in job(read, "each: backend=pandas,polars")] == [PANDAS, *POLARS]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            "each: backend=panda",
            (
                "sets[0].each: group 'backend' has no variant 'panda' in backends/; did you mean "
                "'pandas'? Else write backends/panda.yaml, or take it out of the sweep"
            ),
        ),
        (
            "zip: 'n=1,2 backend=pandas,x'",
            (
                "sets[0].zip: group 'backend' has no variant 'x' in backends/; the variants are "
                "duckdb, pandas, polars; write backends/x.yaml, or take it out of the sweep"
            ),
        ),
        (
            "each: n=1\n      - all: backend=x",
            (
                "sets[1].all: group 'backend' has no variant 'x' in backends/; the variants are "
                "duckdb, pandas, polars; write backends/x.yaml, or take it out of the sweep"
            ),
        ),
        (
            "each: backend=PANDAS",
            (
                "sets[0].each: group 'backend' has no variant 'PANDAS' in backends/; did you mean "
                "'pandas'? Else write backends/PANDAS.yaml, or take it out of the sweep"
            ),
        ),
        (
            "each: backend=x*",
            (
                "sets[0].each: group 'backend' has no variant 'x*' in backends/; the variants are "
                "duckdb, pandas, polars"
            ),
        ),
        (
            "{each: n=1, include: [n=2, 'n=3 backend=x']}",
            (
                "sets[0].include: group 'backend' has no variant 'x' in backends/; the variants "
                "are duckdb, pandas, polars; write backends/x.yaml, or take it out of the sweep"
            ),
        ),
        (
            "each: 'backend=*,!*'",
            "sets[0].each: group 'backend': the patterns leave none of duckdb, pandas, polars",
        ),
        (
            "each: 'backend=!pandas,!d*'",
            (
                "sets[0].each: group 'backend': the patterns leave none of duckdb, pandas, polars; they "
                "take away "
                "from what stands before them: write backend=*,!pandas,!d*"
            ),
        ),
        (
            "{each: n=1, all: 'backend=p*'}",
            "sets[0].all: group 'backend': the pattern 'p*' stands in `each`, and nowhere else",
        ),
        (
            "{each: 'backend=*', exclude: thread == 2}",
            "sets[0].exclude: no parameter 'thread' in this set; did you mean 'threads'?",
        ),
        (
            "{each: 'backend=*', sample: 5000000}",
            (
                "sets[0].sample: a sample of 5,000,000 from 4 combinations is too large to make; sample up "
                "to "
                "1,000,000, of fewer values"
            ),
        ),
        (
            "{each: 'backend=* threads=3'}",
            (
                "sets[0].each: the parameter 'threads' is in this set, and backends/polars.yaml brings it "
                "as well; "
                "keep one of the two"
            ),
        ),
        (
            "{zip: 'backend=polars engine=a'}",
            (
                "sets[0].zip: the parameter 'engine' is in this set, and backends/polars.yaml brings it as "
                "well; "
                "keep one of the two"
            ),
        ),
        (
            "{each: 'backend=pandas n=1,x', resources: {cpu: '${n}'}}",
            (
                "sets[0].resources: cpu must be a number such as 2, or a parameter such as ${cpu}, "
                "and above 0; it is 'x' (n=x in jobs.bench.sets[0])"
            ),
        ),
        (
            "{each: 'backend=pandas n=1', resources: {cpu: '${m}'}}",
            (
                "sets[0].resources: cpu is ${m}, and there is no parameter 'm' in jobs.bench.sets[0]; the "
                "parameters "
                "are backend, n"
            ),
        ),
    ],
)
def test_mistakes_in_a_set(read: Read, backends: Path, item: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        job(read, item)
    line = 7 + int(message[len("sets[")])
    assert str(caught.value) == f"sweeps.yaml:{line}: jobs.bench.{message}"


def test_patterns_do_not_go_in_step(read: Read, backends: Path) -> None:
    with pytest.raises(InputError) as caught:
        job(read, "zip: 'backend=* x=1,2'")
    assert str(caught.value) == (
        "sweeps.yaml:7: jobs.bench.sets[0].zip: goes in step, so all need as many values: backend has 1 and "
        "x has 2; a pattern, as in backend=*, stands in 'each' alone"
    )


def test_the_place_is_that_of_who_says_it(read: Read, backends: Path) -> None:
    whole = (
        "defaults: {resources: {memory: '${size}'}}\n"
        "jobs:\n  bench:\n    run: x\n    groups: {backend: backends/}\n    sets:\n      - each: 'SET'\n"
        "      - {each: '', all: backend=duck}\n"
    )
    cpu = "cpu must be a number such as 2, or a parameter such as ${cpu}, and above 0"
    memory = "memory must be a size such as 4GB, or a parameter such as ${memory}, and above 0"
    (backends / "wide.yaml").write_text("all: size=1GB\nresources:\n  cpu: ${n}\n", encoding="utf-8")
    for text, last, message in [
        ("size=b", "duckdb", f"sweeps.yaml:1: defaults.resources: {memory}; it is 'b' (size=b"),
        ("backend=wide n=0", "duckdb", f"backends/wide.yaml:2: resources: {cpu}; it is '0' (n=0"),
    ]:
        with pytest.raises(InputError) as caught:
            Plan(read(whole.replace("SET", text).replace("duck", last)).job("bench"))
        assert str(caught.value) == f"{message} in jobs.bench.sets[0])"
    with pytest.raises(InputError) as caught:
        Plan(read(whole.replace("SET", "size=1")).job("bench"))
    assert str(caught.value) == (
        "sweeps.yaml:8: jobs.bench.sets[1].all: group 'backend' has no variant 'duck' in backends/; did you "
        "mean 'duckdb'? Else write backends/duck.yaml, or take it out of the sweep"
    )


def test_two_variants_that_bring_the_same(read: Read, backends: Path) -> None:
    (backends.parent / "modes").mkdir()
    (backends.parent / "modes" / "lazy.yaml").write_text("each: engine=a,b\n", encoding="utf-8")

    def plan(item: str) -> Plan:
        groups = "{backend: backends, mode: modes/}"
        text = f"jobs: {{b: {{run: x, style: plain, groups: {groups},\nsets: [{{{item}}}]}}}}"
        return Plan(read(text).job("b"))

    for item in ("each: 'backend=* mode=lazy'", "zip: 'backend=polars mode=lazy'"):
        with pytest.raises(InputError) as caught:
            plan(item)
        assert str(caught.value) == (
            f"sweeps.yaml:2: jobs.b.sets[0].{item[: item.index(':')]}: backends/polars.yaml and "
            "modes/lazy.yaml both bring the parameter 'engine'; keep one of the two"
        )
    assert len(plan("include: ['backend=polars', 'mode=lazy']")) == 4  # never in the same combination


@pytest.fixture
def nested(read: Read, folder: Path) -> Callable[..., Plan]:
    """Return the plan of a set in a job that has the group `engine` as well, with these variants beside."""
    files = {
        "backends/duckdb": "",
        "backends/polars": "each: engine=*,!x*",
        "engines/fast": "{each: 'depth=3,4', add: --fast, timeout: 5s}",
        "engines/slow": "all: mode=dry",
        "modes/dry": "all: lr=1\nadd: --dry",
    }

    def plan(item: str, **changes: str) -> Plan:
        for name, text in {
            **files,
            **{name.replace("_", "/"): text for name, text in changes.items()},
        }.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        groups = "{backend: backends/, engine: engines/, mode: modes/}"
        text = f"jobs:\n  b:\n    run: x\n    style: plain\n    groups: {groups}\n    sets: [{{{item}}}]\n"
        return Plan(read(text).job("b"))

    return plan


def test_a_variant_that_brings_another_group(nested: Callable[..., Plan]) -> None:
    fast = [f"x backend=polars engine=fast depth={n} --fast" for n in (3, 4)]
    slow = "x backend=polars engine=slow mode=dry lr=1 --dry"
    plan = nested("each: 'backend=*'")
    assert list(lines(plan)) == ["x backend=duckdb", *fast, slow]
    assert [plan.needs(each).timeout for each in plan] == [None, 5.0, 5.0, None]
    assert list(lines(nested("each: '', all: backend=polars"))) == [*fast, slow]
    here = {"engines_fast": "where: here", "engines_slow": "where: here\nall: mode=dry"}
    assert nested("each: 'backend=*'", **here).places == {None, HERE}, "one of duckdb brings no engine"
    assert nested("each: 'backend=polars'", backends_polars="each: engine=*,!x*\nwhere: here").places == {
        HERE
    }
    assert list(lines(nested("each: 'backend=*', exclude: depth == 4 or mode == 'dry'"))) == [
        "x backend=duckdb",
        fast[0],
    ]


@pytest.mark.parametrize(
    ("item", "changes", "message"),
    [
        (
            "each: 'backend=*'",
            {"engines_slow": "{each: backend=duckdb, all: mode=dry}"},
            (
                "backends/polars.yaml:1: each: the parameter 'backend' is in this set, and engines/slow.yaml "
                "brings it as well; keep one of the two"
            ),
        ),
        (
            "each: 'backend=*'",
            {"modes_dry": "all: engine=fast"},
            (
                "engines/slow.yaml:1: all: backends/polars.yaml and modes/dry.yaml both bring the parameter "
                "'engine'; keep one of the two"
            ),
        ),
        (
            "each: 'backend=* depth=1'",
            {},
            (
                "sweeps.yaml:6: jobs.b.sets[0].each: the parameter 'depth' is in this set, and "
                "engines/fast.yaml brings it as well; keep one of the two"
            ),
        ),
        (
            "each: 'backend=polars'",
            {"backends_polars": "each: engine=fas"},
            (
                "backends/polars.yaml:1: each: group 'engine' has no variant 'fas' in engines/; did you mean "
                "'fast'? Else write engines/fas.yaml, or take it out of the sweep"
            ),
        ),
        (
            "each: 'backend=*'",
            {"backends_polars": "each: x=1:500 y=1:1000 engine=fast"},
            (
                "sweeps.yaml:6: jobs.b.sets[0].each: at least 1,000,001 combinations are made of what "
                "stands in backends/polars.yaml and engines/fast.yaml, more than 1,000,000; sweep fewer "
                "values there, or sweep them in a set of the job"
            ),
        ),
        (
            "each: 'backend=*'",
            {"engines_fast": "each: x=1:1000000000 y=1:1000000000 z=1:1000000000"},
            (
                "backends/polars.yaml:1: each: at least 1,000,000,000,000,000,000,000,000,000 combinations "
                "are made of what stands in engines/fast.yaml, more than 1,000,000; sweep fewer values "
                "there, or sweep them in a set of the job"
            ),
        ),
    ],
)
def test_mistakes_in_variants_of_variants(
    nested: Callable[..., Plan], item: str, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        nested(item, **changes)
    assert str(caught.value) == message


def test_variants_of_one_name_in_two_groups(nested: Callable[..., Plan]) -> None:
    plan = nested("each: 'backend=a|engine=a'", backends_a="add: --one", engines_a="add: --two")
    assert list(lines(plan)) == ["x backend=a --one", "x engine=a --two"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a", "wiht: [x]", "backends/a.yaml:1: unknown key 'wiht'; did you mean 'with'?"),
        (
            "a",
            "timeout: soon\nresources: {cpus: 1}\n",
            (
                "backends/a.yaml:1: timeout: 'soon' is not a duration; write seconds (90) or, with units, "
                "10s, 5m, 1h30m, 1d\n"
                "backends/a.yaml:2: resources: there is no resource 'cpus'; did you mean 'cpu'?"
            ),
        ),
        (
            "a",
            "each: a=1,,2",
            "backends/a.yaml:1: each\n  a=1,,2\n      ^\nexpected a value between the",
        ),
        (
            "a",
            "- x",
            "backends/a.yaml: must be a mapping, such as with: [polars==1.17.1]; a variant may be",
        ),
        (
            "a",
            "timeout: 3\neach: backend=1,2",
            (
                "backends/a.yaml:2: each: the parameter 'backend' is the group that this is a variant of; "
                "take it out"
            ),
        ),
        (
            "a",
            "all: backend=1",
            "backends/a.yaml:1: all: the parameter 'backend' is the group that this is a variant of; take it",
        ),
        ("a", "a: [", "backends/a.yaml:1: a value is missing here, or a '[' or '{' above is not closed"),
        (
            "a",
            "timeout:\nwhere: null",
            (
                "backends/a.yaml:1: timeout: has no value, and so is the job's; take the key out, or write a "
                "value\nbackends/a.yaml:2: where: has no value, and so is the job's; take the key out, or "
            ),
        ),
        ("a b", "", "backends/a b.yaml: 'a b' cannot be a variant's name; use letters A-Z and a-z, digits, "),
    ],
)
def test_mistakes_in_a_variant(read: Read, backends: Path, name: str, text: str, message: str) -> None:
    (backends / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        job(read, "each: backend=*")
    assert str(caught.value).startswith(message)


def test_a_folder_that_is_not_there_or_empty(read: Read, folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        job(read, "each: backend=*")
    assert str(caught.value) == (
        "sweeps.yaml:5: jobs.bench.groups.backend: the folder backends/ of group 'backend': no such file or "
        "directory"
    )
    (folder / "backends").mkdir()
    with pytest.raises(InputError) as caught:
        job(read, "each: backend=*")
    assert str(caught.value) == (
        "sweeps.yaml:5: jobs.bench.groups.backend: group 'backend' has no variants; write one as "
        "backends/NAME.yaml"
    )


def test_a_group_that_no_set_has(read: Read, backends: Path) -> None:
    whole = (
        "jobs:\n  b:\n    run: x\n    groups:\n      bakend: backends/\n      q: backends/\n    sets: [SET]\n"
    )
    with pytest.raises(InputError) as caught:
        read(whole.replace("SET", "{each: 'backend=* q=*'}"))
    assert str(caught.value) == (
        "sweeps.yaml:5: jobs.b.groups.bakend: no set has the parameter 'bakend'; did you mean 'backend'?"
    )
    with pytest.raises(InputError) as caught:
        read(whole.replace("SET", "{each: n=1}, {each: '', all: k=1}"))
    assert str(caught.value) == (
        "sweeps.yaml:5: jobs.b.groups.bakend: no set has the parameter 'bakend'; the parameters are n, k\n"
        "sweeps.yaml:6: jobs.b.groups.q: no set has the parameter 'q'; the parameters are n, k"
    )
    read(whole.replace("SET", "{each: n=1, include: 'bakend=duckdb q=pandas'}"))
    read("defaults: {groups: {backend: backends/}}\njobs: {b: {run: x, sets: [{each: n=1}]}}")


def test_one_command_has_no_variants_of_its_own_needs(read: Read, backends: Path) -> None:
    text = "jobs: {b: {submit: x, groups: {backend: backends/}, sets: [{each: 'backend=duckdb'}]}}"
    with pytest.raises(InputError) as caught:
        Plan(read(text).job("b"))
    assert str(caught.value) == (
        "backends/duckdb.yaml: job 'b' is one command, so resources and with of backend=duckdb cannot be for "
        "it alone; say it of the job"
    )


def test_one_command_is_known_by_what_its_variants_append(read: Read, backends: Path) -> None:
    def keys(polars: str, duckdb: str = "") -> tuple[str, str, str]:
        (backends / "polars.yaml").write_text(polars, encoding="utf-8")
        (backends / "duckdb.yaml").write_text(duckdb, encoding="utf-8")
        text = "jobs: {b: {submit: x, groups: {backend: backends/}, sets: [{each: 'n=1,2 backend=*'}]}}"
        made = read(text).job("b")
        return Plan(made).key, Plan(made, only="backend=pandas").key, Plan(made, only="backend=polars").key

    whole, pandas, polars = keys("add: --lazy")
    after = keys("add: --lazy2")
    assert after[1] == pandas, "what is not run changes nothing"
    assert whole != after[0]
    assert polars != after[2]
    swapped = keys("", "add: --lazy")
    assert len({whole, after[0], swapped[0], keys("")[0]}) == 4
    assert keys("add: a=1 b=2") == keys("add: b=2 a=1"), "as it is of the add of a set"
    plain = "jobs: {b: {submit: x, sets: [{each: 'n=1,2 backend=duckdb,pandas,polars'}]}}"
    assert keys("")[0] == Plan(read(plain).job("b")).key, "where nothing is appended, as without variants"


def test_variants_that_are_called_as_one_number_is_written(read: Read, backends: Path) -> None:
    for name in ("1.1", "1.10"):
        (backends / f"{name}.yaml").write_text("", encoding="utf-8")
    found = job(read, "each: backend=1.1,1.10")
    assert len({each.key for each in found}) == 2
    for name in ("1.1", "1.10"):
        (only,) = Plan(found.job, only=f"backend={name}")
        assert only.parameters == {"backend": name}
    assert job(read, "each: backend=1.1").key != job(read, "each: backend=1.10").key, "of a submit job"
