"""The one reader of job files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.errors import JobFileError, Place
from sweeplib.jobs.models import JobFile
from sweeplib.jobs.reading import Reading
from sweeplib.jobs.yaml_file import read

if TYPE_CHECKING:
    from sweeplib.errors import InputError
    from sweeplib.jobs.models import Job

__all__ = ["find_file", "has_file", "load", "load_each"]

NAMES = ("sweeps.yaml", "hydraflow.yaml")
"""The names of job files; an earlier one wins."""

EXAMPLE = """
  jobs:
    train:
      run: python train.py
      style: flags
      sets: [{each: 'lr=0.1,0.01'}]"""


def has_file(folder: str | Path) -> bool:
    """Tell whether there is a job file in `folder`, be it right or wrong."""
    return any(Path(folder, name).is_file() for name in NAMES)


def find_file(folder: str | Path = ".") -> Path:
    """Return the job file of `folder`: sweeps.yaml, else hydraflow.yaml. No other folder is searched.

    Raises `JobFileError` if there is none.
    """
    folder = Path(folder)
    for name in NAMES:
        if (folder / name).is_file():
            return folder / name
        if (folder / name).is_symlink() or (folder / name).exists():
            what = "a folder" if (folder / name).is_dir() else "no file"
            if (folder / name).is_symlink() and not (folder / name).exists():
                what = "a link to nothing"
            raise JobFileError(f"{folder / name} is {what}, and should be a file with jobs")
    where = "this folder" if folder.absolute() == Path.cwd() else str(folder)
    if not folder.is_dir():
        raise JobFileError(f"there is no folder {folder}, so no {NAMES[0]} in it")
    for name in ("sweeps.yml", "sweep.yaml", "sweep.yml", "hydraflow.yml"):
        if (folder / name).is_file():
            raise JobFileError(f"there is no {NAMES[0]} in {where}; rename {name} to {NAMES[0]}")
    raise JobFileError(f"there is no {' or '.join(NAMES)} in {where}; write a {NAMES[0]} such as{EXAMPLE}")


def load(where: str | Path = ".", shown: str | None = None) -> JobFile:
    """Return the jobs of a file, or of the job file in a folder, all of them checked.

    Messages call the file as it is `shown`; None: by its path.
    Raises `SweepSyntaxError` if a sweep text cannot be read, and `JobFileError` for anything else that
    is wrong, or if several things are: one a line, in the order of the file.
    """
    path, reading, jobs = _read(where, shown)
    if reading.mistakes:
        raise reading.error()
    return JobFile(path, jobs)


def load_each(where: str | Path = ".", shown: str | None = None) -> dict[str, Job | InputError]:
    """Return the jobs of a file as `load` does, and for each that cannot be read what is wrong with it.

    Raises what `load` does if more is wrong than jobs by themselves.
    """
    _, reading, jobs = _read(where, shown)
    if error := reading.error_of_file():
        raise error
    top = reading.document.value
    names = top["jobs"] if isinstance(top, dict) else ()
    return {name: jobs.get(name) or reading.wrong[name] for name in names}


def _read(where: str | Path, shown: str | None) -> tuple[Path, Reading, dict[str, Job]]:
    path = Path(where)
    if "?" in str(path.absolute()):
        msg = (
            f"the folder {path.absolute()} has a '?' in its name, with which neither Prefect nor MLflow "
            "finds its database; rename it"
        )
        raise JobFileError(msg)
    if path.is_dir() or not (path.suffix or path.exists()):
        path = find_file(path)
    shown = shown or _shown(path)
    document = read(_text(path, shown), shown)
    if document.value is None:
        raise JobFileError(f"this file is empty; begin with{EXAMPLE}", Place(shown, 1))
    reading = Reading(document, str(path.absolute().parent))
    jobs = reading.jobs()
    return path.absolute(), reading, jobs


def _text(path: Path, shown: str) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise JobFileError(f"there is no file {shown}; write one such as{EXAMPLE}") from None
    except OSError as error:
        raise JobFileError(f"this file cannot be read: {error.strerror or error}", Place(shown)) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"the byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise JobFileError(message, Place(shown, line)) from None


def _shown(path: Path) -> str:
    """Return the path for messages: from the current folder if it is inside."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
