"""The README: its order, its examples, its links, the commands that it names."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from sweeplib.cli.app import cli
from tests.acceptance.documents import ROOT, blocks, codes, document, names, play, prose, section, table
from tests.conftest import end_group

if TYPE_CHECKING:
    from tests.conftest import Project

ORDER = [
    "The two commands",
    "A sweeps.yaml, and the commands it makes",
    "The way of the data",
    "Day to day",
    "Every night",
    "Where things are stored",
    "How it compares",
]


def test_what_it_shows_and_in_which_order() -> None:
    assert re.findall(r"^## (.*)$", document("README.md"), re.MULTILINE) == ORDER


def test_what_it_is_for_takes_two_sentences() -> None:
    opening = document("README.md").partition("\n## ")[0].partition("\n\n")[2]
    assert len(re.findall(r"\.(?=\s|$)", opening)) == 2, opening


@pytest.mark.timeout(280)
def test_its_examples(bare_project: Project) -> None:
    play(bare_project, document("README.md"))


def test_the_way_to_every_night(bare_project: Project) -> None:
    """The commands as they stand there, and the first run to its end."""
    readme = document("README.md")
    (jobs,) = [
        block.text
        for block in blocks(section(readme, "A sweeps.yaml, and the commands it makes"))
        if block.language == "yaml"
    ]
    here = section(readme, "Every night")
    extra = re.findall(r"^```\n(.*?)^```$", here, re.MULTILINE | re.DOTALL)[0]
    (commands,) = [block.text for block in blocks(here) if block.language == "sh"]
    up, deploy, work, run = commands.splitlines()
    bare_project.jobs(jobs.replace("python train.py", "echo") + extra)

    def shell(*lines: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", "\n".join(lines)],
            cwd=bare_project.folder,
            env=bare_project.env,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    told = shell(up, deploy, "echo $PREFECT_API_URL")
    assert "created train/default\ncreated train/nightly  (0 2 * * * Europe/Berlin)\n" in told
    bare_project.env["PREFECT_API_URL"] = told.splitlines()[-1]
    assert work.endswith(" &")
    # Not by that shell: what a shell without a terminal starts in the background hears no Ctrl-C.
    worker = subprocess.Popen(
        shlex.split(work.removesuffix(" &")),
        executable=str(Path(sys.executable).with_name("prefect")),
        cwd=bare_project.folder,
        env=bare_project.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    try:
        told = shell(f"{run} --watch --watch-timeout 120")
    finally:
        end_group(worker)
    assert "Flow run finished successfully in 'Completed'." in told
    with bare_project.ledger() as ledger:
        assert [row.outcome for row in ledger.combinations(ledger.sweeps()[0].id)] == ["completed"] * 5


def test_the_make_targets_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", document("Makefile"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", section(document("README.md"), "The two commands")))
    assert {"demo", "test"} <= named & targets


def test_every_tool_is_compared_in_every_line_by_a_plain_word() -> None:
    for row in table(section(document("README.md"), "How it compares")):
        assert len(row) == 7
        assert set(row[1:]) <= {"yes", "no", "partly", "not yet"}, row


def test_files_that_it_names_are_documented_as_such() -> None:
    files = [
        code
        for row in table(section(document("README.md"), "Where things are stored"))
        for code in codes(row[0])
    ]
    documented = section(document("docs/command-line.md"), "Files")
    assert [name for name in files if f"`{name}" not in documented] == []


@pytest.mark.parametrize("name", names())
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", document(name)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / name).parent / path if path else ROOT / name
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings]


@pytest.mark.parametrize("name", names())
def test_commands_in_its_text_exist_with_their_options(name: str) -> None:
    lines = [code for code in codes(prose(document(name))) if code.startswith("sweep ")]
    lines += re.findall(r"^\$ (sweep [^|\n]*)", document(name), re.MULTILINE)
    context = click.Context(cli)
    for line in lines:
        words = shlex.split(line.replace("…", "").replace("'", ""))[1:]
        while words and words[0] in ("-C", "--project"):
            words = words[2:]
        command = cli.get_command(context, words[0]) if words else cli
        assert command is not None, line
        options = {flag for each in command.params for flag in (*each.opts, *each.secondary_opts)}
        given = {word.partition("=")[0] for word in words if re.match(r"-[-a-z]", word)}
        assert given <= options, line
