"""Laws of commands: a line is its argument vector, whatever text stands in it."""

from __future__ import annotations

import re
import shlex

from hypothesis import given, settings
from hypothesis import strategies as st

from sweeplib.command import argv, lines, parameter_lines
from tests.plans import plan

# Any text that can stand in single quotes of sweep text.
texts = st.text(st.characters(exclude_characters="'\\\0", exclude_categories=["Cs"]), max_size=8)
styles = st.sampled_from(["hydra", "plain", "flags"])


@settings(deadline=None, max_examples=150)
@given(styles, st.lists(texts, min_size=1, max_size=3), texts, texts, st.lists(texts, max_size=2))
def test_a_line_is_the_argument_vector(
    style: str, each: list[str], all_: str, add: str, arguments: list[str]
) -> None:
    swept = {"each": "a=" + ",".join(f"'{text}'" for text in each), "all": f"b='{all_}'"}
    sets = [swept, {"all": f"b='{all_}'", "add": shlex.quote(add)}]
    found = plan(*sets, style=style, arguments=arguments, run="./command 'two words'")
    vectors = [list(argv(found, one, "ULID")) for one in found]
    assert list(map(split, lines(found))) == vectors
    parameters = [vector[2 + len(arguments) :] for vector in vectors]
    assert list(map(split, parameter_lines(found))) == parameters
    submitted = plan(*sets, style=style, arguments=arguments, submit="./command 'two words'")
    command = ["./command", "two words", *arguments, "submit.txt"]
    assert list(map(split, lines(submitted))) == [command, *parameters]


def split(line: str) -> list[str]:
    """Return what a shell makes of a line, with ``ULID`` in the place of what is generated."""
    words = shlex.split(line)
    return [
        re.sub(r"^hydra\.sweep\.dir=multirun/[0-9A-Z]{26}$", "hydra.sweep.dir=multirun/ULID", word)
        for word in words
    ]
