"""YAML: values, lines, texts as written, and what is not YAML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.errors import JobFileError
from sweeplib.jobs.yaml_file import read


def test_values_are_those_of_yaml_1_2() -> None:
    text = """\
text: a b
null_: ~
empty:
yes_: [true, false, yes, on, off]
numbers: [1, -2, +3, 007, 1.5, .5, 1., 1e3, 1_000, 0x10, 1:30, .inf]
date: 2024-01-01
quoted: ['1', "true", '']
forced: !!str 5
on: 1
7: seven
? ~
: tilde
folded: >-
  a
  b
"""
    assert read(text, "f").value == {
        "text": "a b",
        "null_": None,
        "empty": None,
        "yes_": [True, False, "yes", "on", "off"],
        "numbers": [1, -2, 3, 7, 1.5, 0.5, 1.0, 1000.0, "1_000", "0x10", "1:30", ".inf"],
        "date": "2024-01-01",
        "quoted": ["1", "true", ""],
        "forced": "5",
        "on": 1,
        "7": "seven",
        "~": "tilde",
        "folded": "a b",
    }


def test_the_line_of_everything_is_known() -> None:
    document = read("a:\n  b:\n    - x: 1\n      y: >-\n        folded\n        text\n    - z\nc: 2\n", "f")
    assert {path: document.line(path) for path in [("a",), ("a", "b"), ("a", "b", 0, "x"), ("c",)]} == {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "b", 0, "x"): 3,
        ("c",): 8,
    }
    assert document.line(("a", "b", 0, "y")) == 4
    assert document.line(("a", "b", 1)) == 7


def test_the_line_of_what_is_not_there_is_that_of_what_is_around_it() -> None:
    document = read("a:\n  b: 1\n", "f")
    assert document.line(("a", "c", 0)) == 1
    assert document.line(("d",)) is None


def test_scalars_are_kept_as_they_were_written() -> None:
    document = read("a: [1.10, yes, 007, 'q', 1e3]", "f")
    assert [document.texts["a", i] for i in range(5)] == ["1.10", "yes", "007", "q", "1e3"]


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n"])
def test_a_file_without_content_is_nothing(text: str) -> None:
    assert read(text, "f").value is None


def test_merge_keys_give_way_to_own_keys_and_earlier_ones_win() -> None:
    text = """\
one: &one {a: 1, b: 1}
two: &two {<<: *one, b: 2, c: 2}
three: {<<: [*two, *one], d: 3, c: 3}
"""
    assert read(text, "f").value == {
        "one": {"a": 1, "b": 1},
        "two": {"a": 1, "b": 2, "c": 2},
        "three": {"a": 1, "b": 2, "c": 3, "d": 3},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f:3: the key 'a' stands here already (line 1); keep one"),
        ("a:\n  b: {c: 1, c: 2}\n", "f:2: a.b: the key 'c' stands here already (line 2); keep one"),
        ("a:\n- b: 1\n  b: 2\n", "f:3: a[0]: the key 'b' stands here already (line 2); keep one"),
        ("\ta: 1\n", "f:1: this line is indented with a tab; indent with spaces"),
        ("a:\n\tb: 1\n", "f:2: this line is indented with a tab; indent with spaces"),
        ("a:\n  b: x\n  \tc: 1\n", "f:3: this line is indented with a tab; indent with spaces"),
        ("a: >-\n\tx\n", "f:2: this line is indented with a tab; indent with spaces"),
        (
            "a:\n  b: c: d\n",
            "f:2: a ': ' stands where no key can be; check the indentation, or put the text in quotes",
        ),
        (
            "a: b\n  c: d\n",
            "f:2: a ': ' stands where no key can be; check the indentation, or put the text in quotes",
        ),
        ("a:\n  b: {c: 1\nd: [\n", "f:2: the '{' that opens here is not closed, or a comma is missing in it"),
        ("a: [1\nb: 2\n", "f:1: the '[' that opens here is not closed, or a comma is missing in it"),
        ("a: [1,\n", "f:1: a value is missing here, or a '[' or '{' above is not closed"),
        ("a:\n  b: 'c\nd: 1\n", "f:2: the quote that opens here is never closed"),
        (
            'a: "\\q"\n',
            "f:1: a backslash in double quotes must begin a YAML escape; use single quotes around this text",
        ),
        ("a: 1\nb\nc: 2\n", "f:2: a ':' and a space are missing after the key in this line"),
        (
            "a: *.py\n",
            "f:1: a name is missing after '*' or '&' here; put text that begins with one of them in quotes",
        ),
        (
            "{a: 1}\nb: 2\n",
            (
                "f:2: this does not fit the lines above it; check the indentation, "
                "and that quotes go around a whole text"
            ),
        ),
        ("a: @b\n", "f:1: a text cannot begin with '@'; put it in quotes"),
        ("a: %b\n", "f:1: a text cannot begin with '%'; put it in quotes"),
        (
            "a: *b\n",
            "f:1: a '*' refers to an anchor ('&') above it and there is none; put text with '*' in quotes",
        ),
        ("a: &x 1\nb: &x 2\n", "f:2: this anchor ('&') has a name that is taken already; give it another"),
        ("a: 1\n---\nb: 2\n", "f:2: a second document begins here ('---'); a job file is one document"),
        (
            "a:\n    b: 1\n   c: 2\n",
            (
                "f:3: this does not fit the lines above it; check the indentation, "
                "and that quotes go around a whole text"
            ),
        ),
        (
            "a: 'b' c\n",
            (
                "f:1: this does not fit the lines above it; check the indentation, "
                "and that quotes go around a whole text"
            ),
        ),
        ("a: 1\nb: \x07\n", "f:2: the character U+0007 is not allowed in YAML; take it out"),
        ("a: !thing 1\n", "f:1: the tag !thing is not known here; take it out"),
        ("a: !thing {}\n", "f:1: the tag !thing is not known here; take it out"),
        (
            "a: !!python/object/apply:os.getcwd []\n",
            "f:1: the tag !!python/object/apply:os.getcwd is not known here; take it out",
        ),
        ("a: !!int x\n", "f:1: 'x' is not what its tag !!int says; take the tag out"),
        ("a: !!bool x\n", "f:1: 'x' is not what its tag !!bool says; take the tag out"),
        ("a: &x [*x]\n", "f:1: this alias stands inside what it refers to; write the content out"),
        ("[a]: 1\n", "f:1: a key must be a text; put it in quotes"),
        (
            "a: {<<: 5}\n",
            "f:1: '<<' merges a mapping, such as '<<: *name'; put the key in quotes if it is one",
        ),
        ("a: " + 2000 * "[" + 2000 * "]", "f: lists and mappings are nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_with_its_line(text: str, message: str) -> None:
    with pytest.raises(JobFileError) as caught:
        read(text, "f")
    assert str(caught.value) == message


def test_a_rare_mistake_is_told_in_the_words_of_the_yaml_library() -> None:
    with pytest.raises(JobFileError) as caught:
        read("a: ? b\n", "f")
    assert str(caught.value).startswith("f:1: this is not YAML: mapping keys are not allowed ")


@given(st.text(alphabet="ab:-[]{}'\"#&*!|>%@,? \n\t\\<\r~1.", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read(text, "f")
    except JobFileError as error:
        assert str(error).startswith("f:")  # noqa: PT017 - any text may also be fine
