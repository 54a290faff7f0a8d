"""Our own documents: their blocks, tables and codes, and playing their examples as a reader would.

A fenced block is played by its language:

- ``yaml``: written as sweeps.yaml, or as the file that its first line, ``# name.yml``, names.
- ``python`` or ``sh`` that begins with ``# name``: written as that file.
- ``console``: each line that begins with ``$`` is run by a shell in the project, and what it prints, to
  standard output and standard error, must be what is shown below it. A line ``…`` stands for any lines.
- any other: for reading only.

Compared are texts in which what differs from run to run is replaced, in this order: the project's folder,
ULIDs, the tags made of them, moments, ports, durations, the width of gaps. Keys stay: a combination's key is
the same everywhere.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Project

ROOT = Path(__file__).parents[2]

_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_CELL = re.compile(r"(?<!\\)\|")
_NAMED = re.compile(r"# (\S+)\n")
_INTERIM = re.compile(  # of a machine that is slow today
    r"\S+: \d+/\d+ done, .*\b(?:running|left)$|sweep: \w+ is still recording: "
)
_ULID = r"[0-9A-HJKMNP-TV-Z]{26}"
_VARYING = (
    (re.compile(rf"\b{_ULID}\b"), "ULID"),
    (re.compile(rf"\b(\w+)-{_ULID[:-4].lower()}{{8}}\b"), r"\1-TAG"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b"), "MOMENT"),
    (re.compile(r"\b(?:\d+ \w+ ago|just now)"), "AGO"),
    (re.compile(r"\b127\.0\.0\.1:\d+\b"), "127.0.0.1:PORT"),
    (re.compile(r"\b(?:\d+(?:\.\d+)? s|\d+m \d\ds)\b"), "DURATION"),
    (re.compile(r" +"), " "),
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and its text."""

    language: str
    text: str


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def names() -> list[str]:
    """Return the documents that a user reads, as paths from the root."""
    return ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]


def blocks(text: str) -> list[Block]:
    return [Block(*found.groups()) for found in _FENCED.finditer(text)]


def prose(text: str) -> str:
    """Return the text without its blocks."""
    return _FENCED.sub("", text)


def section(text: str, title: str) -> str:
    """Return what stands below a heading, up to the next one of its level."""
    head, _, rest = text.partition(f"\n## {title}\n")
    assert rest, f"no heading {title!r} in:\n{head}"
    return rest.partition("\n## ")[0]


def table(text: str, number: int = 0) -> list[list[str]]:
    """Return the rows of a table of `text`, without its heading; a cell keeps its Markdown."""
    found = [part for part in re.split(r"\n{2,}", prose(text)) if part.lstrip("\n").startswith("|")]
    lines = found[number].strip().splitlines()
    return [[cell.strip() for cell in _CELL.split(line)[1:-1]] for line in lines[2:]]


def codes(cell: str) -> list[str]:
    """Return the texts that are marked as code."""
    return [found.replace("\\|", "|") for found in _CODE.findall(cell)]


def code(cell: str) -> str:
    """Return the one text that is marked as code."""
    (found,) = codes(cell)
    return found


def play(project: Project, text: str) -> None:
    """Do in the project what a document shows, block after block, and see what it says come true."""
    status = 0
    for block in blocks(text):
        named = _NAMED.match(block.text)
        if block.language == "yaml":
            project.write(named[1] if named else "sweeps.yaml", block.text)
        elif block.language in ("python", "sh") and named:
            project.write(named[1], block.text)
        elif block.language == "console":
            status = _console(project, block.text, status)


def _console(project: Project, text: str, status: int) -> int:
    """Run the lines of a console block; return the exit code of the last one."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    assert starts[:1] == [0], f"a console block begins with a command:\n{text}"
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        command = lines[start].removeprefix("$ ").replace("$?", str(status))
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=project.folder,
            env=project.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        status = done.returncode
        shown = [_steady(line) for line in lines[start + 1 : end]]
        said = [line for line in done.stdout.splitlines() if not _INTERIM.match(line)]
        printed = [_steady(line.replace(str(project.folder), "PROJECT")) for line in said]
        if not _fits(shown, printed):
            assert printed == shown, f"$ {command}"
    return status


def _steady(line: str) -> str:
    """Return a line without what differs from run to run."""
    for varying, name in _VARYING:
        line = varying.sub(name, line)
    return line.rstrip()


def _fits(shown: list[str], printed: list[str]) -> bool:
    pattern = "".join("(?:.*\n)*" if line == "…" else re.escape(line) + "\n" for line in shown)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None
