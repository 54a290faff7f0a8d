"""Reading the end of a log file, once or as it grows, at a bounded cost.

Loaded by the guard process: imports must stay few.
"""

from __future__ import annotations

import os
import re

from sweeplib.run.files import open_left

__all__ = ["Tail", "last_lines", "plain"]

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|[@-Z\\-_])")


def plain(line: str) -> str:
    """Return a line as a terminal would leave it: without colours, overwritten parts gone."""
    return _ESCAPES.sub("", line.rstrip("\r\n").rpartition("\r")[2]).rstrip()


def size_text(count: int) -> str:
    """Return a number of bytes for people, as in ``512 B`` and ``1.2 MB``."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:  # what rounds to three digits
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} TB"


def last_lines(path: str | os.PathLike[str], count: int, max_bytes: int = 65536) -> list[str]:
    """Return the last `count` lines that are not empty, of at most the last `max_bytes` bytes.

    A line that begins before that is marked with a leading ``…``. What is not UTF-8 is replaced; a
    file that cannot be read has no lines.
    """
    try:
        with open_left(path) as file:
            # One byte more tells whether the first line begins there.
            start = max(0, file.seek(0, os.SEEK_END) - max_bytes - 1)
            file.seek(start)
            pieces = file.read(max_bytes + 1).split(b"\n")
    except OSError:
        return []
    texts = [plain(piece.decode("utf-8", "replace")) for piece in pieces]
    if start and texts[0]:
        texts[0] = f"…{texts[0][1:]}"
    return [text for text in texts if text][-count:]


class Tail:
    """Follows a growing log file: what is new since the last `read`, the newest kept if too much.

    At most `max_lines` lines and `max_bytes` bytes come of one `read`, each line cut to `max_line`
    bytes; whatever is left out is said in its place. Reading costs the same for 1 kB as for 1 GB of
    new output. What is not UTF-8 is replaced.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_lines: int = 50,
        max_bytes: int = 16384,
        max_line: int = 1000,
    ) -> None:
        """Start at the beginning of the file, which need not exist yet."""
        self._path = path
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._max_line = max_line
        self._offset = 0
        self._partial = b""
        self._lost = 0  # bytes of the unfinished line that were dropped

    def read(self, *, final: bool = False) -> list[str]:
        """Return the new lines; an unfinished last line waits for its end unless `final`."""
        data, skipped = self._new_data()
        if skipped:
            skipped += len(self._partial) + self._lost
            self._partial, self._lost = b"", 0
        pieces = (self._partial + data).split(b"\n")
        rest = b"" if final else pieces.pop()
        ends = [0] * len(pieces)
        if pieces:
            ends[0], self._lost = self._lost, 0
        if final and not pieces[-1]:
            pieces.pop()
        self._keep(rest)
        skipped += sum(len(piece) + 1 for piece in pieces[: -self._max_lines])
        shown = [self._cut(*item) for item in zip(pieces, ends, strict=False)][-self._max_lines :]
        if skipped:
            shown.insert(0, f"[{size_text(skipped)} of output left out here]")
        return shown

    def _new_data(self) -> tuple[bytes, int]:
        """Return at most `max_bytes` of what was added, the newest, and how much was skipped."""
        try:
            with open_left(self._path) as file:
                end = file.seek(0, os.SEEK_END)
                start = max(min(self._offset, end), end - self._max_bytes)
                file.seek(start)
                data = file.read(end - start)
        except OSError:
            return b"", 0
        skipped = start - min(self._offset, end)
        self._offset = start + len(data)
        if skipped:
            cut = data.find(b"\n") + 1  # begin with a whole line where there is one
            skipped += cut
            data = data[cut:]
        return data, skipped

    def _keep(self, rest: bytes) -> None:
        """Keep the beginning of an unfinished line, and count what was dropped of it."""
        rest, self._lost = _visible(rest, self._lost)
        limit = self._max_line + 1
        self._lost += max(0, len(rest) - limit)
        self._partial = rest[:limit]

    def _cut(self, piece: bytes, lost: int) -> str:
        piece, lost = _visible(piece, lost)
        over = len(piece) + lost - self._max_line
        if over <= 0:
            return plain(piece.decode("utf-8", "replace"))
        head = plain(piece[: self._max_line].decode("utf-8", "ignore"))
        return f"{head} [{size_text(over)} more of this line left out]"


def _visible(line: bytes, lost: int) -> tuple[bytes, int]:
    """Drop what a later part of the line overwrites, as progress bars do with a carriage return."""
    start = line.rstrip(b"\r").rfind(b"\r") + 1
    return (line[start:], 0) if start else (line, lost)
