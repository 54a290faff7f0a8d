"""Run files and grid specifications: their lines, and every message about them."""

from __future__ import annotations

from decimal import Decimal
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from sweeplib.errors import JobFileError
from sweeplib.jobs.commands import read_commands, read_grid

if TYPE_CHECKING:
    from pathlib import Path


NEEDS = "needs values, or value, or max with min and step"


def grid(folder: Path, text: str) -> list[str]:
    """Return the lines of a grid specification."""
    path = folder / "grid.yml"
    path.write_text(dedent(text), encoding="utf-8")
    lines = read_grid(path)
    assert [lines[i] for i in range(len(lines))] == list(lines)
    return list(lines)


def told(folder: Path, text: str) -> str:
    """Return what is said about a grid specification, without its path."""
    with pytest.raises(JobFileError) as caught:
        grid(folder, text)
    return str(caught.value).removeprefix(f"{folder}/")


def test_a_run_file_has_a_command_a_line(tmp_path: Path) -> None:
    path = tmp_path / "runfile"
    path.write_text('# first\n\nsleep 1; echo "First!"  \n  \n\t# second\n  a | b > c && d # e\n', "utf-8")
    assert list(read_commands(path)) == ['sleep 1; echo "First!"', "a | b > c && d # e"]


def test_a_line_ends_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "runfile"
    path.write_bytes("echo a\x0cb\x0bd\u2028e\r\necho 2\r\n".encode())
    assert list(read_commands(path)) == ["echo a\x0cb\x0bd\u2028e", "echo 2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", " has no command; write one a line, such as python train.py --lr=0.1"),
        (b"# one\n\n", " has no command; write one a line, such as python train.py --lr=0.1"),
        (b"echo \0", " has a NUL character in it, which no command can be given"),
        (b"echo\n\xff", ":2: the byte 0xff is not UTF-8; save the file as UTF-8"),
    ],
)
def test_what_is_no_run_file(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "runfile"
    path.write_bytes(content)
    with pytest.raises(JobFileError) as caught:
        read_commands(path)
    assert str(caught.value) == f"{path}{message}"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(JobFileError, match=r"^there is no file .*/none$"):
        read_commands(tmp_path / "none")
    with pytest.raises(JobFileError, match=r" cannot be read: Is a directory$"):
        read_commands(tmp_path)


def test_the_example_of_batchrun(tmp_path: Path) -> None:
    lines = grid(
        tmp_path,
        """
        program: python3 my_script.py
        parameters:
          alpha:
            values:
              - 1
              - 2
              - 5
          beta:
            values: [0.1, 0.25, 0.5]
          gamma:
            value: 100
        """,
    )
    assert lines == [
        f"python3 my_script.py --alpha={alpha} --beta={beta} --gamma=100"
        for alpha in (1, 2, 5)
        for beta in (0.1, 0.25, 0.5)
    ]


def test_values_that_are_false_are_values(tmp_path: Path) -> None:
    zeros = "a: {values: [0, false, '', null, 0.0]}, b: {value: 0}, c: {value: false}"
    text = f"{{program: p, parameters: {{{zeros}}}}}"
    assert grid(tmp_path, text) == [
        f"p --a={value} --b=0 --c=False" for value in ("0", "False", "", "None", "0.0")
    ]


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("{max: 3}", ["0", "1", "2"]),
        ("{min: 1, max: 3}", ["1", "2"]),
        ("{min: 1, max: 6, step: 2}", ["1", "3", "5"]),
        ("{min: 1, max: 7, step: 2}", ["1", "3", "5"]),
        ("{min: 3, max: 0, step: -1}", ["3", "2", "1"]),
        ("{min: -2, max: 0}", ["-2", "-1"]),
        ("{min: 0, max: 0.3, step: 0.1}", ["0", "0.1", "0.2"]),
        ("{min: 0.1, max: 0.45, step: 0.1}", ["0.1", "0.2", "0.3", "0.4"]),
        ("{max: 3e-5, step: 1.0e-5}", ["0", "0.00001", "0.00002"]),
        ("{min: 1.0, max: 2.5, step: 0.5}", ["1", "1.5", "2"]),
    ],
)
def test_numbers_by_step(tmp_path: Path, section: str, values: list[str]) -> None:
    lines = grid(tmp_path, f"{{program: p, parameters: {{a: {section}}}}}")
    assert lines == [f"p --a={value}" for value in values]


def test_a_million_lines_are_not_made(tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(
        "{program: p, parameters: {a: {max: 100000}, b: {max: 100000}, c: {max: 1, step: 0.001}}}"
    )
    lines = read_grid(path)
    assert len(lines) == 10**13
    assert lines[-1] == "p --a=99999 --b=99999 --c=0.999"


@pytest.mark.parametrize(
    "program",
    [
        "program: >-\n  python a.py\n  --x 1",
        "program: |\n  python a.py \\\n    --x 1\n",
        "program: python  a.py --x 1",
    ],
)
def test_a_program_of_several_lines_is_one(tmp_path: Path, program: str) -> None:
    assert grid(tmp_path, f"{program}\nparameters: {{a: {{value: 2}}}}\n") == ["python a.py --x 1 --a=2"]


def test_what_a_shell_would_split_is_quoted(tmp_path: Path) -> None:
    text = """
    program: python -c 'print(1)'
    parameters:
      a: {values: ["x y", "it's", "$HOME/x", "a;b", "*.txt"]}
    """
    assert [line.partition("--a=")[2] for line in grid(tmp_path, text)] == [
        "'x y'",
        "'it'\\''s'",
        "$HOME/x",
        "'a;b'",
        "*.txt",
    ]
    assert all(line.startswith("python -c 'print(1)' ") for line in grid(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[]",
            (
                "grid.yml: a grid specification is a mapping such as "
                "{program: python train.py, parameters: {lr: {values: [0.1, 0.01]}}}"
            ),
        ),
        ("{programm: p}", "grid.yml:1: programm: unknown key 'programm'; did you mean 'program'?"),
        ("{x: p}", "grid.yml:1: x: unknown key 'x'; the keys here are program and parameters"),
        ("{parameters: {a: {value: 1}}}", "grid.yml: program: must be a command such as python train.py"),
        (
            "program: p",
            "grid.yml: parameters: must be a mapping such as {lr: {values: [0.1, 0.01]}}",
        ),
        (
            "program: p\nparameters:\n  a: 5",
            "grid.yml:3: parameters.a: must be a mapping with values, value, or min, max and step",
        ),
        (
            "program: p\nparameters:\n  a: {valus: [1]}",
            "grid.yml:3: parameters.a.valus: unknown key 'valus'; did you mean 'values'?",
        ),
        (
            "program: p\nparameters:\n  a: {values: [1], value: 2}",
            f"grid.yml:3: parameters.a: {NEEDS}, not values and value",
        ),
        (
            "program: p\nparameters:\n  a: {min: 1, step: 2}",
            f"grid.yml:3: parameters.a: {NEEDS}, not min and step",
        ),
        (
            "program: p\nparameters:\n  a: {values: 5}",
            "grid.yml:3: parameters.a.values: must be a list of values such as [0.1, 0.01]",
        ),
        (
            "program: p\nparameters:\n  a: {values: [[1]]}",
            "grid.yml:3: parameters.a.values[0]: a value is text or a number, not a list or a mapping",
        ),
        (
            "program: p\nparameters:\n  a: {max: 5, step: 0}",
            "grid.yml:3: parameters.a.step: must be a number other than 0",
        ),
        (
            "program: p\nparameters:\n  a: {max: 1e300}",
            "grid.yml:3: parameters.a: has more values than can be counted (9,223,372,036,854,775,807)",
        ),
        (
            "program: p\nparameters:\n  a: {max: 1e10}\n  b: {max: 1e10}",
            "grid.yml: has more combinations than can be counted (9,223,372,036,854,775,807)",
        ),
        (
            'program: p\nparameters:\n  a: {value: "1\\n2"}',
            "grid.yml:3: parameters.a.value: a value with a line break cannot stand in a line",
        ),
        (
            'program: "#p"\nparameters:\n  a: {value: 1}',
            "grid.yml:1: program: begins with #, so every line would be a comment",
        ),
        ("program: p\nparameters:\n  a: {max: x}", "grid.yml:3: parameters.a.max: must be a number"),
        ("program: p\nparameters:\n  a: {max: .inf}", "grid.yml:3: parameters.a.max: must be a number"),
        (
            "program: p\nparameters:\n  a: {min: 5, max: 5}",
            "grid.yml:3: parameters.a.max: the end is left out, so it must be above 5",
        ),
        (
            "program: p\nparameters:\n  a b: {value: 5}",
            "grid.yml:3: parameters.a b: 'a b' cannot be an option's name",
        ),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    assert told(tmp_path, text) == message


def test_steps_are_exact(tmp_path: Path) -> None:
    lines = grid(tmp_path, "{program: p, parameters: {a: {min: 0, max: 1, step: 0.001}}}")
    assert [Decimal(line.partition("=")[2]) for line in lines] == [Decimal(i) / 1000 for i in range(1000)]
