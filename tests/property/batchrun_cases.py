"""Grid specifications in which batchrun makes no mistake, and batchrun to ask about them.

It drops values that Python takes for false, and fails for steps with a point; it puts a backslash before each
quote in a program, and leaves values as they are that a shell would split.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.property.peer import Peer

INTERPRETER = "SWEEP_TEST_BATCHRUN_PYTHON"
"""Environment variable with the path of an interpreter that batchrun is installed for."""

RECORDED = Path(__file__).with_name("batchrun-lines.json")


class Batchrun(Peer):
    """batchrun itself."""

    def __init__(self, interpreter: str) -> None:
        super().__init__(interpreter, Path(__file__).with_name("batchrun_server.py"))

    def lines(self, text: str) -> list[str]:
        """Return the lines of a grid specification."""
        found: list[str] = self.ask(text)
        return found


values = st.one_of(
    st.integers(-5, 200),
    st.sampled_from(
        [0.1, 0.25, -1.5, 1e-7, 1e20, True, False, None, "", "svc", "a-b", "$HOME/x", "1e-3", "[1]"]
    ),
)
programs = st.sampled_from(
    [
        "python3 my_script.py",
        "python3  my_script.py   --fixed 1",
        "python3 \\\n  my_script.py \\\n  --fixed 1\n",
        "python3\nmy_script.py\n",
    ]
)


@st.composite
def sections(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the values of a parameter."""
    kind = draw(st.sampled_from(["values", "value", "max", "min", "step"]))
    if kind == "values":
        return {"values": draw(st.lists(values, min_size=1, max_size=4))}
    if kind == "value":
        return {"value": draw(values.filter(bool))}
    low, size = draw(st.integers(-4, 4)), draw(st.integers(1, 4))
    if kind == "max":
        return {"max": size}
    step = draw(st.sampled_from([1, 2, 3, -1, -2])) if kind == "step" else 1
    high = low + size * step - draw(st.sampled_from([0, 1] if step > 1 else [0]))
    found = {"min": low, "max": high or high + step}
    return found | ({"step": step} if kind == "step" else {})


@st.composite
def grids(draw: st.DrawFn) -> str:
    """Draw the text of a grid specification."""
    names = draw(
        st.lists(st.sampled_from(["alpha", "beta", "a.b", "x_1"]), min_size=1, max_size=3, unique=True)
    )
    grid = {"program": draw(programs), "parameters": {name: draw(sections()) for name in names}}
    return str(yaml.safe_dump(grid, sort_keys=False, allow_unicode=True))
