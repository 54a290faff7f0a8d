"""What a Python program imports of its project, read from its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeplib.engine.imports import Imports

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "train.py": "import os, json\nfrom lib.models import net\nimport helper\n",
    "helper.py": "def f():\n    try:\n        import late\n    except ImportError:\n        pass\n",
    "late.py": "",
    "unused.py": "import broken\n",
    "lib/__init__.py": "",
    "lib/models/__init__.py": "from . import layers\nfrom ..common import *\n",
    "lib/models/net.py": "from .layers import (\n    a,\n    b,\n)\nmatch 1:\n case 1:\n  import deep\n",
    "lib/models/layers.py": "",
    "lib/common.py": "import train\n",
    "lib/other.py": "",
    "deep.py": "this is no Python\n",
    "scripts/fit.py": "import near\nimport helper\n",
    "scripts/near.py": "",
    "near.py": "",
    "src/pkg/__init__.py": "",
    "src/pkg/__main__.py": "from pkg import main\n",
    "src/pkg/main.py": "",
    "space/part/run.py": "import space.part.more\n",
    "space/part/more.py": "",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def names(folder: Path, found: set[Path]) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in found}


def test_what_a_script_imports(folder: Path) -> None:
    """Packages, modules, names in packages, imports in functions, each file once, cycles too."""
    assert names(folder, Imports(folder).of_script(folder / "train.py")) == {
        "train.py",
        "helper.py",
        "late.py",
        "lib/__init__.py",
        "lib/models/__init__.py",
        "lib/models/net.py",
        "lib/models/layers.py",
        "lib/common.py",
        "deep.py",
    }


def test_modules_beside_a_script_come_first(folder: Path) -> None:
    found = names(folder, Imports(folder).of_script(folder / "scripts" / "fit.py"))
    assert found == {"scripts/fit.py", "scripts/near.py", "helper.py", "late.py"}


def test_modules(folder: Path) -> None:
    imports = Imports(folder)
    package = {"src/pkg/__init__.py", "src/pkg/__main__.py", "src/pkg/main.py"}
    assert names(folder, imports.of_module("pkg")) == package
    assert names(folder, imports.of_module("space.part.run")) == {"space/part/run.py", "space/part/more.py"}
    assert imports.of_module("json.tool") == set()


def test_nothing_outside_of_the_project(folder: Path) -> None:
    inside = Imports(folder / "lib")
    assert inside.of_script(folder / "train.py") == set()
    found = names(folder, inside.of_script(folder / "lib" / "models" / "net.py"))
    assert found == {"lib/models/net.py", "lib/models/layers.py"}


@pytest.mark.filterwarnings("default")
def test_what_is_doubtful_in_a_file_is_not_told(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    (tmp_path / "train.py").write_text("import helper\nassert '\\d' is 1\n")
    (tmp_path / "helper.py").write_text("'\\d'")
    assert Imports(tmp_path).of_script(tmp_path / "train.py") == {
        tmp_path / "train.py",
        tmp_path / "helper.py",
    }
    # What the collector finds meanwhile of other tests is not of this one.
    assert [str(each.message) for each in recwarn if each.category is not ResourceWarning] == []
