"""YAML that people edit, read as plain data together with the line each value stands on.

The schema is YAML 1.2's core: only `true` and `false` are booleans, `12:30` is text, dates are text. Keys are text
and stand once per mapping. Aliases work, but what a file may expand to is bounded, so no file can fill the memory.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import yaml

from core.contract import ApmError
from core.registry.sources import MAX_BYTES
from core.sanitise import sanitise

MAX_VALUES = 100_000
"""Values of a file once its aliases are written out."""
MAX_DEPTH = 40
SHOWN_PROBLEMS = 10

Place = tuple[str | int, ...]
"""Where a value stands: keys of mappings and positions in lists, from the root."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file. `line` counts from 1; `place` is empty when the file as a whole is meant.

    `source` names the file where it is another than the one that the error is about.
    """

    line: int
    place: str
    text: str
    source: str = ""

    def __str__(self) -> str:
        return f"{self.line}: {self.place}: {self.text}" if self.place else f"{self.line}: {self.text}"


class DocumentError(ApmError):
    """A file that cannot be used as it is. The message has a line per problem, the first ten of them."""

    exit_code = 2

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.source, problem.line)))
        lines = [f"{problem.source or source}:{problem}" for problem in self.problems[:SHOWN_PROBLEMS]]
        if len(self.problems) > SHOWN_PROBLEMS:
            lines.append(f"… and {len(self.problems) - SHOWN_PROBLEMS} more")
        super().__init__("\n".join(sanitise(line, limit=600, keep_newlines=False) for line in lines))


class Placed(Protocol):
    """Data that knows where each of its values stands."""

    @property
    def data(self) -> Any: ...
    def problem(self, place: Place, text: str) -> Problem: ...


@dataclass(frozen=True, slots=True)
class Document:
    """A file's plain data, the line of every key and item, and the digest of its bytes."""

    source: str
    data: Any
    lines: Mapping[Place, int] = field(repr=False)
    digest: str

    def line_of(self, place: Place) -> int:
        """The line of `place`, or of the nearest thing around it that the file has."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def name_of(self, place: Place) -> str:
        """`place` for a reader: items of a list go by their own name where they have one, not by position."""
        words, value = "", self.data
        for step in place:
            value = _step_into(value, step)
            if isinstance(step, int):
                words += f"[{_own_name(value) or step}]"
            else:
                words += f".{step}" if words else step
        return words

    def problem(self, place: Place, text: str) -> Problem:
        return Problem(self.line_of(place), self.name_of(place), text)


def read(path: Path) -> Document:
    """The document in a file; raises DocumentError when it is missing, too large, or not YAML."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise unreadable(error, path) from None
    return parse(content, path.name)


def unreadable(error: OSError, path: Path) -> DocumentError:
    """What to say of a file that the system does not give out."""
    at, reason = Path(error.filename or path), (error.strerror or str(error)).lower()
    return DocumentError(at.name, [Problem(1, "", f"cannot be read: {reason} ({at})")])


def parse(content: bytes, source: str) -> Document:
    """The document in `content`; `source` is the name that errors give it. Raises DocumentError."""
    text = _decoded(content, source)
    try:
        root = _composed(text)
    except yaml.YAMLError as error:
        raise DocumentError(source, [_syntax_problem(error, text)]) from None
    except _PassesBound as error:
        raise DocumentError(source, [Problem(1, "", str(error))]) from None
    reading = _Reading(source)
    data = None if root is None else reading.value_of(root, (), 1)
    if reading.problems:
        raise DocumentError(source, reading.problems)
    return Document(source, data, MappingProxyType(reading.lines), hashlib.sha256(content).hexdigest())


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` with the known word nearest to `word`, or nothing when none is near."""
    by_lower = {name.lower(): name for name in sorted(known)}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""


def number_wanted(number: object, found: object) -> str:
    """`must be 1`; text in its place, which is a number in quotes, is told so."""
    return f"must be the number {number}, without quotes" if isinstance(found, str) else f"must be {number}"


_TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"
_TOO_MANY = f"holds more than {MAX_VALUES} values, its aliases written out"

# What libyaml would refuse with a byte position; checked here so that the line can be told.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_TAG = "tag:yaml.org,2002:"

# Eighteen digits fit every store; longer runs of digits stay text, which then has the wrong type where it matters,
# and three digits of an exponent stay finite or are refused.
_FLOAT = r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18}|[0-9]{1,18}(?=[eE]))(?:[eE][-+]?[0-9]{1,2})?"
_PLAIN: tuple[tuple[str, str, str, Callable[[str], Any]], ...] = (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF", lambda text: text.lower() == "true"),
    ("null", "~|null|Null|NULL|", "~nN", lambda _: None),
    ("int", "[-+]?[0-9]{1,18}", "-+0123456789", int),
    ("float", _FLOAT, "-+.0123456789", float),
)
"""Kinds of plain scalar: name, what it looks like, the letters it can begin with, how it is read."""

_SCALARS: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    "str": (re.compile(""), str),
    **{name: (re.compile(rf"(?:{pattern})\Z"), read) for name, pattern, _, read in _PLAIN},
}


class _PassesBound(Exception):
    """A file too large or too deep for its nodes to be built."""


class _Bounded:
    """Counts nodes as the composer comes to them.

    Without it a 4 MB list of single letters becomes gigabytes of nodes, and 200,000 opening brackets overflow the
    stack of libyaml's composer, which ends the process.
    """

    nodes = 0
    depth = 0

    def descend_resolver(self, _parent: object, _index: object) -> None:
        self.nodes += 1
        self.depth += 1
        if self.nodes > 2 * MAX_VALUES:
            raise _PassesBound(_TOO_MANY)
        if self.depth > MAX_DEPTH + 1:
            raise _PassesBound(_TOO_DEEP)

    def ascend_resolver(self) -> None:
        self.depth -= 1


def _loader() -> type[yaml.SafeLoader]:
    """A safe loader on libyaml where it is compiled in (a tenth of the time), with the core schema's scalars."""
    resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {"": [(_TAG + "null", re.compile(r"\Z"))]}
    for name, _, first_letters, _ in _PLAIN:
        for letter in first_letters:
            resolvers.setdefault(letter, []).append((_TAG + name, _SCALARS[name][0]))
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return type("CoreSchemaLoader", (_Bounded, base), {"yaml_implicit_resolvers": resolvers})


_LOADER = _loader()


def _composed(text: str) -> yaml.Node | None:
    loader = _LOADER(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _decoded(content: bytes, source: str) -> str:
    if len(content) > MAX_BYTES:
        raise DocumentError(source, [Problem(1, "", f"is larger than {MAX_BYTES // 2**20} MB; nobody edits that")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DocumentError(source, [Problem(line, "", "is not UTF-8 text; save the file as UTF-8")]) from None
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        code = f"U+{ord(found.group()):04X}"
        raise DocumentError(source, [Problem(line, "", f"holds the control character {code}; this is no text file")])
    return text


# Words of the parser → what the person at the keyboard should look at.
_HINTS: tuple[tuple[str, str], ...] = (
    ("mapping values are not allowed", "a text that holds ': ' needs quotes, and keys of one mapping the same indent"),
    ("could not find expected ':'", "a key without its colon, or a text that should be indented further"),
    ("expected <block end>", "this line is indented differently from its neighbours"),
    ("while parsing a block", "this line is indented differently from its neighbours"),
    ("found undefined alias", "the anchor of that name comes later, or is misspelt"),
    ("expected a single document", "only one document per file; remove the second '---'"),
    ("while parsing a flow", "in [ ] or { } a comma, a value or the closing bracket is missing"),
    ("cannot start any token", "a text that begins with @, ` or % needs quotes"),
    ("found unexpected end of stream", "a quote or bracket is opened and never closed"),
)


def _syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = ", ".join(str(part) for part in (getattr(error, "context", ""), getattr(error, "problem", "")) if part)
    if mark is None:
        return Problem(1, "", f"is not YAML: {said or error}")
    lines = text.splitlines()
    at_fault = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in at_fault[: len(at_fault) - len(at_fault.lstrip())]:
        return Problem(mark.line + 1, "", "is indented with a tab; YAML takes spaces only")
    hint = next((hint for words, hint in _HINTS if words in said), "")
    begun = getattr(error, "context_mark", None)
    if "flow" in said and begun is not None and begun.line != mark.line:
        hint += f"; it was opened in line {begun.line + 1}"
    return Problem(mark.line + 1, "", f"is not YAML: {said}" + (f" ({hint})" if hint else ""))


class _Reading:
    """Nodes on their way to plain data: the lines seen, the problems met, the values still allowed."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self.left = MAX_VALUES

    def value_of(self, node: yaml.Node, place: Place, line: int) -> Any:
        """The node's data, its problems noted. Raises DocumentError at once where a bound is passed."""
        self.lines[place] = line
        self.left -= 1
        if self.left < 0 or len(place) > MAX_DEPTH:
            raise DocumentError(self.source, [Problem(line, "", _TOO_MANY if self.left < 0 else _TOO_DEEP)])
        kind = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return {key: self.value_of(child, (*place, key), at) for key, child, at in self._entries(node, place)}
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return [self.value_of(child, (*place, n), _line(child)) for n, child in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and (read := _SCALARS.get(kind)) and read[0].match(node.value):
            return read[1](node.value)
        self._refuse(place, line, f"cannot be read as {node.tag}; use plain text, numbers, true, false or null")
        return None

    def _entries(self, node: yaml.MappingNode, place: Place) -> Iterator[tuple[str, yaml.Node, int]]:
        first_seen: dict[str, int] = {}
        for key_node, child in node.value:
            line, key = _line(key_node), key_node.value
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(place, line, "has a key that is a list or a mapping; keys are words")
            elif key == "<<":
                self._refuse(place, line, "uses the merge key '<<', which YAML 1.2 dropped; write the entries out")
            elif key in first_seen:
                self._refuse((*place, key), line, f"stands twice; the first is on line {first_seen[key]}")
            else:
                first_seen[key] = line
                yield key, child, line

    def _refuse(self, place: Place, line: int, text: str) -> None:
        self.problems.append(Problem(line, _dotted(place), text))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _dotted(place: Place) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")


def _step_into(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _own_name(value: Any) -> str:
    """What an item of a list calls itself: an agent its role, a rule its id, a decision kind its key."""
    if not isinstance(value, Mapping):
        return ""
    return next((value[key] for key in ("role", "id", "key") if isinstance(value.get(key), str)), "")
