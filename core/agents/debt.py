"""Technical debt that can be pointed at: marked comments, and functions and files that measure as hard to change.

What an entry costs is read from the tables below: hours that mending such a thing takes in the middle, good enough
to sort by and to compare releases with. Limits are radon's own ranks (a complexity of 11 leaves rank B, a
maintainability index under 20 leaves rank A) and this house's 60 lines for a function.
"""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.contract import Json, digest_of
from core.phrases import counted
from core.sanitise import one_line

MARKER_HOURS = {"TODO": 1.0, "XXX": 2.0, "FIXME": 2.0, "HACK": 4.0}
COMPLEXITY_HOURS = ((41, 16.0), (31, 8.0), (21, 4.0), (11, 2.0))
"""From this cyclomatic complexity on."""
LENGTH_HOURS = ((201, 8.0), (101, 4.0), (61, 2.0))
"""From this number of lines of one function on."""
MAINTAINABILITY_HOURS = ((10.0, 8.0), (20.0, 4.0))
"""Below this index of one file."""
MAINTAINABILITY_FILES, MAINTAINABILITY_LINES = 30, 150
"""Only the longest files, and none that is shorter: the index takes 10 ms for every hundred lines, more than all the
rest together, and no short file has a low one."""

ENTRIES = 200
FILES = 5_000
FILE_BYTES = 512 * 1024
TEXT = 160
NOT_OURS = frozenset({"node_modules", "vendor", "third_party", "site-packages", "dist", "_vendor", ".venv", "venv"})
"""Folders whose debt is somebody else's."""

_MARKER = re.compile(rf"(?:^|(?<=[\s(\[]))({'|'.join(MARKER_HOURS)})\b(?=[\s:(\-,]|$)(.*)", re.DOTALL)
COMMENTS = {
    r"//|/\*|^\s*\*": "js jsx ts tsx mjs cjs css scss less c h cc cpp hpp cs java kt kts go rs swift php scala dart",
    "#": "sh bash zsh rb pl r yml yaml toml cfg tf ex exs nim jl mk dockerfile makefile py pyi",
    "--": "sql lua hs elm adb ads",
    "<!--": "html htm xml md vue svelte",
    "%": "tex erl m",
}
"""How a comment begins, by file suffix (or name, where a file has none)."""
_PATTERN_OF = {suffix: re.compile(pattern) for pattern, suffixes in COMMENTS.items() for suffix in suffixes.split()}


@dataclass(frozen=True, slots=True)
class Debt:
    """One entry. `location` is `path:line`, `cost` hours; `id` stays when the entry moves within its file."""

    id: str
    text: str
    location: str
    cost: float
    kind: str

    @property
    def path(self) -> str:
        return self.location.rpartition(":")[0]

    def to_json(self) -> Json:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found, and how much was looked at."""

    debts: tuple[Debt, ...]
    files: int
    skipped: int = 0
    unreadable: tuple[str, ...] = ()

    def entries(self) -> list[Json]:
        """The costliest entries; where there are none, the one that says what was looked at."""
        if self.debts:
            return [debt.to_json() for debt in self.debts[:ENTRIES]]
        marks = ", ".join(MARKER_HOURS)
        looked = counted(self.files, "file")
        text = (
            f"No comment marked {marks}, no function above complexity {COMPLEXITY_HOURS[-1][0] - 1} or "
            f"{LENGTH_HOURS[-1][0] - 1} lines, and no file of low maintainability, in {looked}."
        )
        return [{"id": "none", "text": text, "location": "", "cost": 0, "kind": "none", "evidence": [looked]}]


@dataclass(slots=True)
class _Ids:
    """Equal things in one file are told apart by their order."""

    seen: dict[str, int] = field(default_factory=dict)

    def of(self, *words: str) -> str:
        key = "\0".join(words)
        self.seen[key] = self.seen.get(key, 0) + 1
        return digest_of([*words, self.seen[key]])[:12]


def survey(root: Path, paths: Sequence[str]) -> Survey:
    """The debt in the files of a source tree. Reads at most 5,000 of them, and none that is large or a link."""
    ours = [path for path in paths if NOT_OURS.isdisjoint(Path(path).parts) and _pattern_of(path)]
    debts: list[Debt] = []
    unreadable: list[str] = []
    lengths: dict[str, int] = {}
    read = 0
    for path in ours[:FILES]:
        text = read_source(root / path)
        if text is None:
            continue
        read += 1
        tree = _parsed(text) if path.endswith(".py") else None
        debts += debts_of(path, text, tree)
        if tree is not None:
            lengths[path] = text.count("\n")
        elif path.endswith(".py"):
            unreadable.append(path)
    for path in sorted(lengths, key=lambda path: (-lengths[path], path))[:MAINTAINABILITY_FILES]:
        if lengths[path] >= MAINTAINABILITY_LINES:
            debts += _of_file(path, read_source(root / path) or "")
    debts.sort(key=lambda debt: (-debt.cost, debt.location))
    return Survey(tuple(debts), read, len(paths) - read, tuple(unreadable))


def debts_of(path: str, text: str, tree: ast.Module | None = None) -> list[Debt]:
    """The marked comments of one file and, of a parsed Python file, its functions, in the order of their lines."""
    ids = _Ids()
    found = [*_of_comments(path, text, ids), *(_of_functions(path, tree, ids) if tree else ())]
    return sorted(found, key=lambda debt: int(debt.location.rpartition(":")[2]))


def read_source(file: Path) -> str | None:
    """A file's text; None for what is no text, too large, a link, or gone."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > FILE_BYTES:
            return None
        raw = file.read_bytes()
    except OSError:
        return None
    return None if b"\0" in raw else raw.decode("utf-8", "replace")


def _of_comments(path: str, text: str, ids: _Ids) -> Iterator[Debt]:
    if not any(mark in text for mark in MARKER_HOURS):
        return
    for line, comment in _comments(path, text):
        match = _MARKER.search(comment)
        if match:
            said = one_line(match[2].lstrip(" :-,").removesuffix("*/").removesuffix("-->"), TEXT)
            words = f"{match[1]}: {said}" if said else f"{match[1]} without a word of explanation"
            yield Debt(ids.of(match[1], path, said), words, f"{path}:{line}", MARKER_HOURS[match[1]], match[1])


def _comments(path: str, text: str) -> Iterator[tuple[int, str]]:
    """(line, text) of each comment. Python is read by its own tokens, so a string is never taken for a comment."""
    if path.endswith((".py", ".pyi")):
        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        except (tokenize.TokenError, SyntaxError):
            tokens = []
        if tokens:
            yield from ((t.start[0], t.string.lstrip("#")) for t in tokens if t.type == tokenize.COMMENT)
            return
    pattern = _pattern_of(path)
    for number, line in enumerate(text.split("\n") if pattern else (), start=1):
        begins = pattern.finditer(line) if pattern and any(mark in line for mark in MARKER_HOURS) else ()
        ends = [match.end() for match in begins if not _inside_quotes(line[: match.start()])]
        if ends:
            yield number, line[ends[0] :]


def _pattern_of(path: str) -> re.Pattern[str] | None:
    name = Path(path).name.lower()
    return _PATTERN_OF.get(name.rpartition(".")[2])


def _inside_quotes(before: str) -> bool:
    """Whether a string is open where the comment would begin; good enough for one line."""
    plain = re.sub(r"\\.", "", before)
    return any(plain.count(quote) % 2 for quote in "\"'`")


def _of_functions(path: str, tree: ast.Module, ids: _Ids) -> Iterator[Debt]:
    from radon.complexity import cc_visit_ast

    try:
        blocks = cc_visit_ast(tree)
    except RecursionError:  # an expression thousands of terms deep: generated code, which nobody mends by hand
        return
    for block in blocks:
        if block.letter in "FM":
            yield from _of_function(path, block.fullname, block.complexity, block.lineno, block.endline, ids)


def _of_function(path: str, name: str, complexity: int, line: int, end: int, ids: _Ids) -> Iterator[Debt]:
    for kind, figure, hours_from, words in (
        ("complexity", complexity, COMPLEXITY_HOURS, f"{name} has a cyclomatic complexity of {complexity}"),
        ("length", end - line + 1, LENGTH_HOURS, f"{name} is {end - line + 1} lines long"),
    ):
        hours = next((cost for limit, cost in hours_from if figure >= limit), 0.0)
        if hours:
            yield Debt(ids.of(kind, path, name), one_line(words, TEXT), f"{path}:{line}", hours, kind)


def _of_file(path: str, text: str) -> Iterator[Debt]:
    from radon.metrics import mi_visit

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        index = mi_visit(text, multi=True)
    hours = next((cost for limit, cost in MAINTAINABILITY_HOURS if index < limit), 0.0)
    if hours:
        words = f"{path} has a maintainability index of {math.floor(index)}; below 20 a file is hard to change"
        yield Debt(_Ids().of("maintainability", path), one_line(words, TEXT), f"{path}:1", hours, "maintainability")


def _parsed(text: str) -> ast.Module | None:
    """None for source that this Python cannot parse; warnings about it are the project's own affair."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
