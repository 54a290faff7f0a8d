"""Job files that HydraFlow and sweeplib both understand, and what HydraFlow makes of them.

Left out of what is drawn is what HydraFlow 0.23.2 is known to get wrong or to read in another way
(tests/unit/syntax/test_hydraflow_cases.py has a test for each that concerns the syntax):

- ranges whose numbers are not exact in binary, or of 100,000 and more: ends are lost or overrun;
- an exponent or a suffix after a number that has one already (``1k`` under ``lr/m``, ``1e3:k``);
- a slash in a name that is no suffix, more than one ``=``, colons that make no range;
- quotes in ``each`` and ``all``: they are taken off before commas and pipes are looked at;
- parentheses inside brackets or parentheses, a letter that is an SI suffix between them, a suffix
  after text in them, a colon before the suffix after them;
- what should be an error: empty values, unbalanced parentheses, four parts of a range, a parameter twice,
  a pipe in `all`;
- ``all`` or ``add`` as an item of its own: HydraFlow makes it a set, against its own guide;
- a job without sets, or with two commands; ``$``, which OmegaConf interpolates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.property.peer import Peer

INTERPRETER = "SWEEP_TEST_HYDRAFLOW_PYTHON"
"""Environment variable with the path of an interpreter that HydraFlow is installed for."""

RECORDED = Path(__file__).with_name("hydraflow-dry-runs.json")


@dataclass(frozen=True, slots=True)
class Case:
    """A job file with one job, and the words after ``run``."""

    file: str
    arguments: tuple[str, ...]


class HydraFlow(Peer):
    """HydraFlow itself; it takes seconds to start."""

    def __init__(self, interpreter: str) -> None:
        super().__init__(interpreter, Path(__file__).with_name("hydraflow_server.py"))

    def dry_run(self, case: Case) -> list[str]:
        """Return the lines that HydraFlow prints, without what is new every time."""
        answer = self.ask({"file": case.file, "arguments": case.arguments})
        assert answer["code"] == 0, "\n".join(answer["lines"])
        return normal(answer["lines"])


def normal(lines: list[str]) -> list[str]:
    """Return a dry run without what is new every time: ULIDs, and the path of a submit file."""
    found = [re.sub(r"multirun/[0-9A-HJKMNP-TV-Z]{26}\b", "multirun/ULID", line) for line in lines]
    return [re.sub(r"^(sbatch .*) \S+$", r"\1 FILE", line) for line in found]


# Values. Everything that is drawn is text.

SUFFIXES = ["k", "m", "M", "u", "e2", "e-3", "E+1"]
words = st.sampled_from(["svc", "cnn", "small", "a-b", "x_1", "true", "null", "path/to.npz", "1a", "é"])
integers = st.integers(-30, 200).map(str)
decimals = st.sampled_from(["0.1", "1.50", "-2.5", "3.", "0.001", "0.0"])
scaled = st.sampled_from(["1k", "10M", "2.5m", "1e-3", "2E5", "1.5e+2"])
lists = st.sampled_from(["[1,2]", "[a,b]", "[1,[2,3]]", "[]"])
suffixes = st.sampled_from(SUFFIXES)


@st.composite
def integer_ranges(draw: st.DrawFn) -> str:
    """Draw a range of up to four integers, upward or downward."""
    start, step = draw(st.integers(-50, 500)), draw(st.sampled_from([1, 2, 7, 100, -1, -3, -50]))
    stop = start + draw(st.integers(0, 3)) * step + draw(st.sampled_from([0, step // 2 if step > 0 else 0]))
    if step == 1 and draw(st.booleans()):
        return f":{stop - start}" if draw(st.booleans()) else f"{start}:{stop}"
    return f"{start}:{stop}:{step}"


@st.composite
def decimal_ranges(draw: st.DrawFn) -> str:
    """Draw a range of up to four numbers that are exact in binary."""
    start, step = draw(st.integers(-40, 400)) / 4, draw(st.sampled_from([0.25, 0.5, 1.5, -0.25, -2.0]))
    return f"{start}:{start + draw(st.integers(0, 3)) * step}:{step}"


ranges = integer_ranges() | decimal_ranges()
suffixed = st.tuples(ranges | integers, suffixes).map(":".join)


def listed(items: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(items, min_size=1, max_size=most).map(",".join)


def grouped(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return listed(items).map("({})".format)


parentheses = st.one_of(
    st.tuples(
        grouped(words | integers), st.sampled_from(["", "_", "x-", "_on_"]), grouped(words | integers)
    ).map("".join),
    st.tuples(grouped(integers | ranges), st.sampled_from(["", *SUFFIXES])).map("".join),
    st.tuples(grouped(integers | integer_ranges()), st.just("e"), grouped(st.integers(-9, 9).map(str))).map(
        "".join
    ),
    st.tuples(st.just("2e"), grouped(st.integers(-9, 9).map(str))).map("".join),
    st.tuples(st.sampled_from(["net", "1x", "v_"]), grouped(words | integer_ranges())).map("".join),
)
plain = listed(st.one_of(words, integers, decimals, scaled, lists, ranges, suffixed, parentheses))
numeric = listed(st.one_of(integers, decimals, ranges, grouped(integers | ranges)))


@st.composite
def parts(draw: st.DrawFn, key: str) -> str:
    """Draw ``key=values``, now and then with a suffix in the name."""
    if draw(st.integers(0, 3)):
        return f"{key}={draw(plain)}"
    return f"{key}/{draw(suffixes)}={draw(numeric)}"


@st.composite
def piped(draw: st.DrawFn, keys: list[str]) -> str:
    """Draw alternatives, of which the later ones may go on with the parameter before, and its suffix."""
    found = [draw(parts(keys[0]))]
    for key in keys:
        if key != keys[0]:
            found.append(draw(parts(key)))
        values = numeric if "/" in found[-1].partition("=")[0] else plain
        bare = draw(st.lists(values, max_size=2))
        found += bare
        if bare and "/" in key:
            break
    return "|".join(found)


KEYS = ["model", "lr", "opt.beta", "+epochs", "n_layers", "seed", "db-name", "w"]


@st.composite
def sets(draw: st.DrawFn, *, first: bool) -> dict[str, str]:
    """Draw a set; only the first may have no `each`, because another would belong to the one before."""
    keys = draw(st.permutations(KEYS))
    arguments = []
    for number in range(draw(st.integers(0 if first else 1, 3))):
        key, other = keys[2 * number], keys[2 * number + 1]
        if draw(st.integers(0, 4)):
            arguments.append(draw(parts(key)))
        else:
            arguments.append(draw(piped(draw(st.sampled_from([[key], [key, other]])))))
    white = st.sampled_from([" ", "  ", "\n"])
    found = {"each": draw(white).join(arguments)} if arguments else {}
    fixed = [draw(parts(key)) for key in keys[6 : 6 + draw(st.integers(0, 2))]]
    if fixed:
        found["all"] = draw(white).join(fixed)
    if draw(st.integers(0, 2)) == 0:
        found["add"] = draw(adds)
    return found or {"each": draw(parts(keys[0]))}


adds = st.lists(
    st.sampled_from(
        [
            "hydra/launcher=joblib",
            "hydra/launcher=submitit",
            "hydra.launcher.n_jobs=2",
            "hydra.launcher.n_jobs=3",
            "--config-name=other",
            "--quiet",
            "~db",
            "+x=a=b",
            "'note=two words'",
            '"it=it\'s"',
            r"a=b\ c",
        ]
    ),
    min_size=1,
    max_size=4,
).map(" ".join)

commands = st.sampled_from(
    [
        ("run", "python train.py"),
        ("run", "python -m app.train --fast 'two words'"),
        ("run", "./train"),
        ("call", "pprint.pprint"),
        ("call", "os.path.join seed=1 'two words'"),
        ("submit", "sbatch submit.py"),
        ("submit", "sbatch --wrap 'two words' app.py"),
    ]
)

extra = st.lists(
    st.sampled_from(
        ["a=1", "b=x,y", "--lr=0.1", "-x", "--verbose", "two words", "it's", "c='d e'", "", "--", "é"]
    ),
    max_size=3,
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a job file and the words after ``run``."""
    kind, command = draw(commands)
    job: dict[str, Any] = {kind: command}
    if draw(st.integers(0, 3)) == 0:
        job["add"] = draw(adds)
    if draw(st.integers(0, 4)) == 0:
        job["name"] = "other-name"
    job["sets"] = [draw(sets(first=number == 0)) for number in range(draw(st.integers(1, 3)))]
    file = yaml.safe_dump({"jobs": {"train": job}}, sort_keys=draw(st.booleans()), allow_unicode=True)
    given = draw(extra)
    dashes = [] if not any(word.startswith("-") for word in given) and draw(st.booleans()) else ["--"]
    return Case(file, ("train", "--dry-run", *dashes, *given))
