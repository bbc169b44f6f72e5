"""Where in a project its version is written, and how it is changed there.

An edit changes the characters of the version and nothing else, and proves it: the edited file is parsed again and
must differ from the old one in that value only.
"""

from __future__ import annotations

import ast
import configparser
import copy
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.contract import ApmError
from core.paths import real

VERSION_MODULES = ("__init__.py", "__version__.py", "_version.py", "version.py", "__about__.py")
"""Where a Python package repeats its version."""
_PROBE = "0.0.0-apm.probe"
_OCCURRENCES = 500

Span = tuple[int, int]


class VersionError(ApmError):
    """A version, or the file that holds it, cannot be read or written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """A version in a file: its text, and the characters `start..end` that it takes in the file's text."""

    path: str
    value: str
    start: int
    end: int


def find_version(text: str, kind: str, path: str = "") -> Place | None:
    """The version that a file of this kind states itself; None when it states none (or takes it from elsewhere)."""
    try:
        span = _FINDERS[kind](text)
    except KeyError:
        known = ", ".join(sorted(_FINDERS))
        raise VersionError(f"{path}: a version file of kind {kind!r} is unknown; known are {known} and vcs.") from None
    except (ValueError, SyntaxError, RecursionError, configparser.Error) as error:
        reason = str(error).partition("\n")[0]
        raise VersionError(f"{path} cannot be read as {kind}: {reason}. Mend the file, then go on.") from None
    return None if span is None else Place(path, text[span[0] : span[1]], *span)


def with_version(text: str, place: Place, version: str) -> str:
    """`text` with the characters of its version replaced."""
    return text[: place.start] + version + text[place.end :]


def read_place(root: Path, path: str, kind: str) -> Place | None:
    """The version in a file below `root`; None when the file is not there or states none."""
    file = inside(root, path)
    return find_version(read_text(file)[0], kind, path) if file.is_file() else None


def write_version(root: Path, path: str, kind: str, version: str) -> None:
    """Change the version in a file; raises VersionError when it states none."""
    file = inside(root, path)
    text, encoding = read_text(file)
    place = find_version(text, kind, path)
    if place is None:
        raise VersionError(f"{path} states no version of its own as {kind}; write one there, then go on.")
    file.write_bytes(with_version(text, place, version).encode(encoding))


def second_places(root: Path, kind: str, path: str, homes: Sequence[str], value: str) -> list[tuple[str, str]]:
    """(path, kind) of the files that repeat the version `value` and must change with it.

    `homes` are the places where the Python package may be, without a suffix: `src/rows`.
    """
    candidates = [pair for pair in _candidates(kind, path, homes) if pair[0] != path]
    return [pair for pair in candidates if _states(root, *pair, value)]


def _candidates(kind: str, path: str, homes: Sequence[str]) -> Iterator[tuple[str, str]]:
    folder = path.rpartition("/")[0]
    yield from ((f"{folder}/{name}".lstrip("/"), lock) for name, lock in _LOCKS.get(kind, ()))
    for home in homes:
        yield from ((f"{home}/{name}", "dunder") for name in VERSION_MODULES)
        yield f"{home}.py", "dunder"


def _states(root: Path, path: str, kind: str, value: str) -> bool:
    try:
        place = read_place(root, path, kind)
    except (VersionError, OSError):
        return False
    return place is not None and place.value == value


def inside(root: Path, path: str) -> Path:
    """The file, refused when a link leads out of the worktree: what is written must be what is committed."""
    file = root / path
    if file.is_symlink() or real(file) != real(root) / path:
        raise VersionError(f"{path} is or lies behind a symbolic link, which is not followed; name the real file.")
    return file


def read_text(file: Path) -> tuple[str, str]:
    """A file's text with its line ends as they are, and the encoding that gives the same bytes back."""
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "latin-1"


_Key = tuple[str | int, ...]


def _in_document(parse: Callable[[str], Any], *paths: _Key | Callable[[Any], _Key]) -> Callable[[str], Span | None]:
    """Finds a value in a structured file by trying: the right characters are those whose change is that value's."""

    def find(text: str) -> Span | None:
        body = text.removeprefix("\ufeff")
        document = parse(body)
        for path in paths:
            keys = path(document) if callable(path) else path
            value = _dig(document, keys)
            if isinstance(value, str) and value:
                span = _proved(body, parse, _with_value(document, keys, _PROBE), value)
                return span and _moved(span, len(text) - len(body))
        return None

    return find


def _proved(body: str, parse: Callable[[str], Any], wanted: Any, value: str) -> Span | None:
    for start in _occurrences(body, value):
        end = start + len(value)
        try:
            if parse(body[:start] + _PROBE + body[end:]) == wanted:
                return start, end
        except (ValueError, configparser.Error):
            continue
    return None


def _occurrences(text: str, value: str) -> list[int]:
    """Where `value` stands, lines that speak of a version first; bounded, for each is parsed."""
    starts = [match.start() for match in re.finditer(re.escape(value), text)]
    return sorted(starts, key=lambda at: "version" not in text[text.rfind("\n", 0, at) + 1 : at].lower())[:_OCCURRENCES]


def _dig(document: Any, keys: _Key) -> Any:
    for key in keys:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return None
    return document if keys else None


def _with_value(document: Any, keys: _Key, value: str) -> Any:
    changed = copy.deepcopy(document)
    parent = changed
    for key in keys[:-1]:
        parent = parent[key]
    parent[keys[-1]] = value
    return changed


def _moved(span: Span, by: int) -> Span:
    return span[0] + by, span[1] + by


def _ini(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return {section: dict(parser.items(section)) for section in parser.sections()}


def _setup_cfg(text: str) -> Span | None:
    """`version = attr: …` and `file: …` point elsewhere, so the file states no version itself."""
    span = _in_document(_ini, ("metadata", "version"))(text)
    return None if span and text[span[0] : span[1]].startswith(("attr:", "file:")) else span


def _crate_in_lock(document: Any) -> _Key:
    """Cargo.lock: the crate that comes from no source; in a workspace of several it cannot be told which is ours."""
    own = [index for index, package in enumerate(document.get("package", [])) if "source" not in package]
    return ("package", own[0], "version") if len(own) == 1 else ()


def _version_line(text: str) -> Span | None:
    """A file that holds the version and nothing else, with or without a leading v."""
    match = re.match(r"\ufeff?\s*v?(\S+)\s*\Z", text)
    return match.span(1) if match else None


def _dunder(text: str) -> Span | None:
    """The string that a module assigns to `__version__` (or `VERSION`, where there is no `__version__`)."""
    constants = _constants(_parsed(text))
    node = constants.get("__version__") or constants.get("VERSION")
    return _string_span(text, node) if node else None


def _setup_call(text: str) -> Span | None:
    """The `version` of `setup(...)`: a string, or a name that the file gives a string."""
    tree = _parsed(text)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        value = next((word.value for word in call.keywords if word.arg == "version"), None)
        if name != "setup" or value is None:
            continue
        node = _constants(tree).get(value.id) if isinstance(value, ast.Name) else value
        return _string_span(text, node) if isinstance(node, ast.Constant) else None
    return None


def _parsed(text: str) -> ast.Module:
    return ast.parse(text.removeprefix("\ufeff"))


def _constants(tree: ast.Module) -> dict[str, ast.Constant]:
    """Module-level names with the string they are given; the last one wins, as it does when the module runs."""
    found: dict[str, ast.Constant] = {}
    for statement in tree.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        value = statement.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            found |= {target.id: value for target in targets if isinstance(target, ast.Name)}
    return found


def _string_span(text: str, node: ast.Constant) -> Span | None:
    """The characters between the quotes; None for a string that is written in another way than it reads."""
    body = text.removeprefix("\ufeff")
    lines = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", body))]
    first, last = lines[node.lineno - 1], lines[(node.end_lineno or node.lineno) - 1]
    start = first + _characters(body[first:], node.col_offset)
    end = last + _characters(body[last:], node.end_col_offset or 0)
    literal, value = body[start:end], str(node.value)
    at = literal.find(value) if value else -1
    if at < 0 or ast.literal_eval(literal[:at] + _PROBE + literal[at + len(value) :]) != _PROBE:
        return None
    return _moved((start + at, start + at + len(value)), len(text) - len(body))


def _characters(line: str, octets: int) -> int:
    """ast counts columns in bytes of UTF-8."""
    return len(line[:octets].encode("utf-8")[:octets].decode("utf-8", "ignore"))


_FINDERS: dict[str, Callable[[str], Span | None]] = {
    "pyproject": _in_document(tomllib.loads, ("project", "version")),
    "poetry": _in_document(tomllib.loads, ("tool", "poetry", "version"), ("project", "version")),
    "cargo": _in_document(tomllib.loads, ("package", "version"), ("workspace", "package", "version")),
    "package.json": _in_document(json.loads, ("version",)),
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_call,
    "dunder": _dunder,
    "VERSION": _version_line,
    "npm lock": _in_document(json.loads, ("version",)),
    "npm lock root": _in_document(json.loads, ("packages", "", "version")),
    "cargo lock": _in_document(tomllib.loads, _crate_in_lock),
}
"""Each kind of version file, and how its version's characters are found."""

_LOCKS = {
    "package.json": (("package-lock.json", "npm lock"), ("package-lock.json", "npm lock root")),
    "cargo": (("Cargo.lock", "cargo lock"),),
}
"""Lock files beside a manifest that repeat its version."""
