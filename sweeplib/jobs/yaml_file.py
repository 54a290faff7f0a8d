"""YAML text → plain values, with the line of everything and clear words for what is wrong.

Scalars follow YAML 1.2's core schema, so that `on`, `1:30` and `2024-01-01` are the texts they look
like; only null, true, false and decimal numbers are anything else. Keys are always texts. Tags that
make Python objects do not exist here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import yaml

from sweeplib.errors import JobFileError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml import SafeLoader as _Base
else:
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

__all__ = ["Document", "Path", "read"]

Path = tuple[str | int, ...]
"""The way to a value: ``('jobs', 'train', 'sets', 0, 'each')``."""

_TAG = "tag:yaml.org,2002:"
_NULL, _BOOL, _INT, _FLOAT, _STR, _MERGE = (
    _TAG + name for name in ("null", "bool", "int", "float", "str", "merge")
)
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says: its value, and by path the line and, for scalars, the text as written."""

    file: str
    value: object
    lines: dict[Path, int]
    texts: dict[Path, str]

    def line(self, path: Path) -> int | None:
        """Return the line (from 1) of the value at `path`, or of the nearest thing around it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


class _Loader(_Base):
    """A safe loader with the scalars of YAML 1.2, used for its nodes only."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's


_Loader.add_implicit_resolver(_NULL, re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(_INT, re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    _FLOAT,
    re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
_Loader.add_implicit_resolver(_MERGE, re.compile(r"^<<$"), ["<"])


def read(text: str, file: str) -> Document:
    """Return what YAML `text` says; `file` is the name for messages. An empty file has the value None.

    Raises `JobFileError` with file, line and remedy for the first thing that is not YAML, for a key
    that stands twice, and for a tag or an alias that cannot be followed.
    """
    found = _NOT_YAML.search(text)
    if found:
        message = f"the character U+{ord(found[0]):04X} is not allowed in YAML; take it out"
        raise JobFileError(message, Place(file, text.count("\n", 0, found.start()) + 1))
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
        builder = _Builder(file)
        value = None if root is None else builder.build(root, ())
    except yaml.MarkedYAMLError as error:
        message, line = _explain(error, text)
        raise JobFileError(message, Place(file, line)) from None
    except RecursionError:
        raise JobFileError("lists and mappings are nested too deeply", Place(file)) from None
    return Document(file, value, builder.lines, builder.texts)


@dataclass(slots=True)
class _Builder:
    """Makes plain values of nodes and notes where each stood."""

    file: str
    lines: dict[Path, int] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)

    def build(self, node: yaml.Node, path: Path) -> object:
        """Return the value of `node`, which stands at `path`."""
        self.lines.setdefault(path, _line(node))
        if isinstance(node, yaml.ScalarNode):
            self.texts[path] = node.value
            return self.scalar(node)
        if id(node) in self.open:
            self.fail(node, "this alias stands inside what it refers to; write the content out")
        self.open.add(id(node))
        try:
            if node.tag not in {_TAG + "map", _TAG + "seq"}:
                self.fail(node, f"the tag {_tag(node)} is not known here; take it out")
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, path)
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        finally:
            self.open.discard(id(node))

    def scalar(self, node: yaml.ScalarNode) -> object:
        """Return null, a truth value, a number or a text."""
        try:
            if node.tag == _NULL:
                return None
            if node.tag == _BOOL:
                return {"true": True, "false": False}[node.value.lower()]
            if node.tag == _INT:
                return int(node.value)
            if node.tag == _FLOAT:
                return float(node.value)
        except (ValueError, KeyError):
            self.fail(node, f"{node.value!r} is not what its tag {_tag(node)} says; take the tag out")
        if node.tag not in {_STR, _MERGE}:
            self.fail(node, f"the tag {_tag(node)} is not known here; take it out")
        return node.value

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        """Return the mapping; what it merges with ``<<`` gives way to its own keys."""
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                for name, entry in self.merged(value):
                    merged.setdefault(name, entry)
                continue
            name = self.name(key)
            if name in own:
                message = f"the key {name!r} stands here already (line {_line(own[name][0])}); keep one"
                self.fail(key, message, path)
            own[name] = (key, value)
        result = {}
        for name, (key, value) in (merged | own).items():
            self.lines[(*path, name)] = _line(key)
            result[name] = self.build(value, (*path, name))
        return result

    def merged(self, node: yaml.Node) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
        """Yield the entries that ``<<: node`` brings, the ones that win first."""
        for part in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(part, yaml.MappingNode):
                self.fail(
                    part, "'<<' merges a mapping, such as '<<: *name'; put the key in quotes if it is one"
                )
            entries = [(key, value) for key, value in part.value if key.tag != _MERGE]
            yield from ((self.name(key), (key, value)) for key, value in entries)
            for key, value in part.value:
                if key.tag == _MERGE:
                    yield from self.merged(value)

    def name(self, key: yaml.Node) -> str:
        """Return the text of a key."""
        if not isinstance(key, yaml.ScalarNode):
            self.fail(key, "a key must be a text; put it in quotes")
        return str(key.value)

    def fail(self, node: yaml.Node, message: str, path: Path = ()) -> NoReturn:
        """Raise `message` for the line of `node`."""
        raise JobFileError(message, Place(self.file, _line(node), spell(path)))


def spell(path: Path) -> str | None:
    """Return a path as a person writes it: ``jobs.train.sets[0].each``; None for the whole file."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _tag(node: yaml.Node) -> str:
    return str(node.tag).replace(_TAG, "!!", 1)


def _explain(error: yaml.MarkedYAMLError, text: str) -> tuple[str, int]:
    """Return what is wrong with YAML `text`, in our words, and the line.

    libyaml and PyYAML word the same mistake differently; the words looked for here are in both.
    """
    problem, context = error.problem or "", error.context or ""
    mark = error.problem_mark or error.context_mark
    written = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text.rstrip())
    line, column = (min(mark.line, len(written) - 1), mark.column) if mark else (0, 0)
    opened = error.context_mark.line + 1 if error.context_mark else line + 1
    current = written[line]
    if "\t" in current[: len(current) - len(current.lstrip())]:
        return "this line is indented with a tab; indent with spaces", line + 1
    if "quoted scalar" in context and "end of stream" in problem:
        return "the quote that opens here is never closed", opened
    if "escape" in problem:
        return (
            "a backslash in double quotes must begin a YAML escape; use single quotes around this text",
            line + 1,
        )
    if "simple key" in context:
        return "a ':' and a space are missing after the key in this line", opened
    if "flow node" in context:
        return "a value is missing here, or a '[' or '{' above is not closed", line + 1
    if "flow" in context:
        bracket = "[" if "sequence" in context else "{"
        return f"the {bracket!r} that opens here is not closed, or a comma is missing in it", opened
    if "cannot start any token" in problem:
        return f"a text cannot begin with {current[column : column + 1]!r}; put it in quotes", line + 1
    for words, message in _SAID:
        if words in problem or words in context:
            return message, line + 1
    return f"this is not YAML: {problem or error}", line + 1


_UNFIT = "this does not fit the lines above it; check the indentation, and that quotes go around a whole text"
_SAID = (
    (
        "mapping values are not allowed",
        "a ': ' stands where no key can be; check the indentation, or put the text in quotes",
    ),
    (
        "undefined alias",
        "a '*' refers to an anchor ('&') above it and there is none; put text with '*' in quotes",
    ),
    (
        "alphabetic",
        "a name is missing after '*' or '&' here; put text that begins with one of them in quotes",
    ),
    ("duplicate anchor", "this anchor ('&') has a name that is taken already; give it another"),
    ("single document", "a second document begins here ('---'); a job file is one document"),
    ("block", _UNFIT),
    ("document start", _UNFIT),
)
