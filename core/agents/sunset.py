"""What a project has announced to remove: deprecations in its code, and feature flags that outlived their releases."""

from __future__ import annotations

import ast
import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from core.agents.debt import NOT_OURS, read_source
from core.agents.feature_flags import flags_in
from core.agents.tags import read_tag
from core.contract import ApmError, Json, digest_of
from core.projects import git
from core.projects.commands import Limits
from core.sanitise import one_line

ENTRIES = 50
FILES = 5_000
TEXT = 160
FLAG_RELEASES = 3
"""A flag that has been in the code for this many releases is due: it guards a decision made long ago."""
FLAGS_DATED = 20
"""Dating a flag costs a search of the whole history; more flags than this are not dated."""
SEARCH_LIMITS = Limits(seconds=15.0)

WARNINGS = {"DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"}
_SINCE = re.compile(
    r"(?:deprecated(?:::)?|since|as of)[\s:]+(?:in |since |as of )?(?:version )?v?(\d+(?:\.\d+)+)", re.IGNORECASE
)
_MARKED = re.compile(r"@[Dd]eprecated\b|\[Obsolete\b|#\[deprecated\b|// ?Deprecated:")
_DOC = re.compile(r"\.\. deprecated::|^\s*deprecated\b|\b(?:is|are) deprecated\b", re.IGNORECASE)
_CODE = {".js", ".jsx", ".ts", ".tsx", ".java", ".kt", ".cs", ".rs", ".go", ".py", ".rb", ".php", ".swift"}


@dataclass(frozen=True, slots=True)
class Sunset:
    """One thing on its way out. `since` is the version it was announced in; empty where that cannot be told."""

    id: str
    text: str
    location: str
    since: str
    kind: str

    def to_json(self) -> Json:
        return asdict(self)


def find_deprecations(root: Path, paths: Sequence[str]) -> tuple[list[Sunset], int]:
    """The deprecation markers of a source tree, and how many files were looked at."""
    found: list[Sunset] = []
    read = 0
    for path in _code_files(paths):
        text = read_source(root / path)
        if text is None:
            continue
        read += 1
        found += _in_python(path, text) if path.endswith(".py") else _in_text(path, text)
    return found, read


async def find_old_flags(repo: Path, commit: str, root: Path, paths: Sequence[str]) -> list[Sunset]:
    """Feature flags whose first appearance lies `FLAG_RELEASES` or more releases back."""
    places = await asyncio.to_thread(_flag_places, root, paths)
    flags = [await _flag(repo, commit, name, place) for name, place in sorted(places.items())[:FLAGS_DATED]]
    return [flag for flag in flags if flag is not None]


def _flag_places(root: Path, paths: Sequence[str]) -> dict[str, str]:
    """Where each flag is named first."""
    places: dict[str, str] = {}
    for path in _code_files(paths):
        for number, line in enumerate((read_source(root / path) or "").split("\n"), start=1):
            for name in flags_in(line):
                places.setdefault(name, f"{path}:{number}")
    return places


async def dated(repo: Path, commit: str, item: Sunset) -> Sunset:
    """The entry with the first release that has its line, where its own words do not say since when."""
    if item.since:
        return item
    path, _, line = item.location.rpartition(":")
    try:
        blame = await git.git(repo, "blame", "--porcelain", "-L", f"{line},{line}", commit, "--", path)
        releases = await _releases_with(repo, blame.split(" ", 1)[0])
    except ApmError:
        return item
    return replace(item, since=releases[0]) if releases else item


async def _flag(repo: Path, commit: str, name: str, place: str) -> Sunset | None:
    """The entry of a flag that is due; None for one that is young, or whose history takes too long to search."""
    found = await git.git_result(repo, "log", "--reverse", "--format=%H", "-S", name, commit, limits=SEARCH_LIMITS)
    first = found.stdout.split("\n", 1)[0]
    releases = await _releases_with(repo, first) if found.ok and first else []
    if len(releases) < FLAG_RELEASES:
        return None
    words = f"the flag {name} has been in the code for {len(releases)} releases, since {releases[0]}"
    return Sunset(_id("flag", name), one_line(words, TEXT), place, releases[0], "flag")


async def _releases_with(repo: Path, commit: str) -> list[str]:
    """The versions whose release contains a commit, oldest first."""
    names = (await git.git(repo, "tag", "--list", "--contains", commit, "--sort=creatordate")).splitlines()
    return [tag.version for name in names if (tag := read_tag(name))]


def _code_files(paths: Sequence[str]) -> list[str]:
    ours = (Path(path) for path in paths)
    kept = [path.as_posix() for path in ours if path.suffix in _CODE and NOT_OURS.isdisjoint(path.parts)]
    return [path for path in kept if not re.search(r"(^|/)tests?/", path)][:FILES]


def _in_python(path: str, text: str) -> Iterator[Sunset]:
    """Definitions that are marked, and warnings that are given outside such."""
    if "eprecat" not in text and "FutureWarning" not in text:
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    marked: set[str] = set()
    counted: Counter[str] = Counter()
    for node, name in _named(tree, ""):
        how, words = _marking(node)
        if not how or (how == "warns" and name in marked):
            continue
        if how != "warns":
            marked.add(name)
        counted[name] += 1
        since = _SINCE.search(words)
        said = f"{name or path} is deprecated ({how}){f': {words}' if words else ''}"
        location = f"{path}:{getattr(node, 'lineno', 1)}"
        code = _id(path, name, how, str(counted[name]))
        yield Sunset(code, one_line(said, TEXT), location, since[1] if since else "", "deprecation")


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _named(node: ast.AST, name: str) -> Iterator[tuple[ast.AST, str]]:
    """Each definition, and each call outside one, with the qualified name it belongs to."""
    for child in ast.iter_child_nodes(node):
        inner = f"{name}.{child.name}".lstrip(".") if isinstance(child, _Definition) else name
        if isinstance(child, _Definition | ast.Call):
            yield child, inner
        yield from _named(child, inner)


def _marking(node: ast.AST) -> tuple[str, str]:
    """How a node marks a deprecation, and in which words; two empty strings when it does not."""
    if isinstance(node, ast.Call):
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if _called(node) == "warn" and names & WARNINGS:
            return "warns", _first_text(node)
    elif isinstance(node, _Definition):
        for decorator in node.decorator_list:
            if _called(decorator) == "deprecated":
                return "decorator", _first_text(decorator)
        line = next((line for line in (ast.get_docstring(node) or "").split("\n") if _DOC.search(line)), "")
        if line:
            return "docstring", one_line(line, TEXT)
    return "", ""


def _called(node: ast.expr) -> str:
    target = node.func if isinstance(node, ast.Call) else node
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""


def _first_text(node: ast.AST) -> str:
    texts = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))
    return one_line(next(texts, ""), TEXT)


def _in_text(path: str, text: str) -> Iterator[Sunset]:
    for number, line in enumerate(text.split("\n") if _MARKED.search(text) else (), start=1):
        if _MARKED.search(line):
            words, since = one_line(line, TEXT), _SINCE.search(line)
            yield Sunset(_id(path, words), words, f"{path}:{number}", since[1] if since else "", "deprecation")


def _id(*words: str) -> str:
    return digest_of(list(words))[:12]
