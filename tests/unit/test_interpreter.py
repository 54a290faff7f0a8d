"""The words of a Python command."""

from __future__ import annotations

import pytest

from sweeplib.interpreter import head_length


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("python train.py", "python train.py"),
        ("python3 train.py a.py", "python3 train.py"),
        (".venv/bin/python3.12 ./train --lr=1", ".venv/bin/python3.12 ./train"),
        ("python -m train -m x", "python -m train"),
        (
            "python -uB -O -W error -Wignore -X dev -Xutf8 train.py",
            "python -uB -O -W error -Wignore -X dev -Xutf8 train.py",
        ),
        ("python -I -m pack.train x", "python -I -m pack.train"),
    ],
)
def test_a_head(text: str, head: str) -> None:
    assert head_length(text.split()) == len(head.split())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "python",
        "python -m",
        "python -u",
        "python -W",
        "python -",
        "python -c pass",
        "python -uc pass",
        "python -i train.py",
        "python -mtrain",
        "python --version",
        "python --check-hash-based-pycs always train.py",
        "python2 train.py",
        "pythonw train.py",
        "ipython train.py",
        "env python train.py",
        "train.py",
    ],
)
def test_another_command(text: str) -> None:
    assert head_length(text.split()) is None
