"""Text in Markdown, read back by a Markdown parser."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sweeplib.report.markdown import link, literal, table_lines
from sweeplib.report.table import printable

PARSER = MarkdownIt("commonmark").enable("table").enable("strikethrough")
MARKS = st.text(st.sampled_from(list("`*_[]()<>|~&\\#+-=>.!:/ab1 é\n\t"))) | st.text()


def texts(markdown: str) -> str:
    """Return what a reader sees of inline Markdown; fails where it has marks."""
    tokens = PARSER.parse(markdown)
    kinds = [token.type for token in tokens]
    assert kinds in (["paragraph_open", "inline", "paragraph_close"], []), (markdown, kinds)
    if not tokens:
        return ""
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}, (markdown, children)
    return "".join(child.content for child in children)


@given(MARKS)
@example("1. one")
@example(" -")
@example("    indented")
@example("12) b")
@example("# a")
@example("---")
@example("- a")
@example("a_b_c _d_")
@example("=")
@example("&amp; <b>x</b> http://a_b_")
@example("\\*")
def test_a_literal_is_read_as_it_is(text: str) -> None:
    assert texts(literal(text)) == printable(text).strip()


@given(MARKS)
def test_a_cell_of_a_table_stays_one(text: str) -> None:
    tokens = PARSER.parse("\n".join(table_lines(["a", "b"], [[literal(text), "x"]])))
    cells = [tokens[place + 1] for place, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == 2
    assert cells[1].content == "x"
    assert "".join(child.content for child in cells[0].children or []) == printable(text).strip()


@pytest.mark.parametrize(
    ("text", "address", "expected"),
    [
        ("log", "http://a/b.log", "[log](http://a/b.log)"),
        ("a*", "http://a/b (1).log", "[a\\*](http://a/b%20(1%29.log)"),
    ],
)
def test_a_link(text: str, address: str, expected: str) -> None:
    assert link(text, address) == expected
