"""What the repository says about a request: the files its words point to, and the risks that facts about them show.

A computed risk names its evidence, and its mitigation is something that apm does anyway, not a promise.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from core.agents.branch import is_test_file
from core.agents.words.mentions import Mentions
from core.contract import Json
from core.projects import git
from core.sanitise import one_line

FILES = 20
_FILES_PER_NAME = 5
_GREPPED_NAMES = 8
_COMMITS_SEEN = 100
_OFTEN_CHANGED = 8
"""Of the last `_COMMITS_SEEN` commits."""
_FILES_JUDGED = 5
_DRIVE = re.compile(r"^[A-Za-z]:/")
_INSTALLED = re.compile(r".*(?:site|dist)-packages/")
_CODE_SUFFIXES = frozenset([".py", ".js", ".ts", ".tsx", ".jsx", ".go", ".rs", ".java", ".rb", ".php", ".c", ".cpp"])


@dataclass(frozen=True, slots=True)
class Pointed:
    """A tracked file and why the request points to it; `named` when the request names the file itself."""

    path: str
    why: str
    named: bool

    def to_json(self) -> Json:
        return {"path": one_line(self.path, 500), "why": one_line(self.why), "named": self.named}


async def pointed_files(tree: Path, mentions: Mentions) -> list[Pointed]:
    """At most FILES tracked files: named ones first, then those that contain a name, then by their own names."""
    tracked = await git.tracked_files(tree)
    found: dict[str, Pointed] = {}
    # In a thread: a repository may track 100,000 files.
    for pointed in await asyncio.to_thread(lambda: list(_by_path(mentions.paths, tracked))):
        found.setdefault(pointed.path, pointed)
    names = mentions.identifiers[:_GREPPED_NAMES]
    for name, paths in zip(names, await asyncio.gather(*(_containing(tree, name) for name in names)), strict=True):
        for path in paths[:_FILES_PER_NAME]:
            found.setdefault(path, Pointed(path, f"contains {name}", named=False))
    for pointed in await asyncio.to_thread(lambda: list(_by_word(mentions.words, tracked))):
        found.setdefault(pointed.path, pointed)
    return list(found.values())[:FILES]


def _by_path(names: Sequence[str], tracked: Sequence[str]) -> Iterator[Pointed]:
    by_name: dict[str, list[str]] = {}
    for path in tracked:
        by_name.setdefault(path.rpartition("/")[2], []).append(path)
    for name in names:
        if name.endswith("/"):
            inside = [path for path in tracked if f"/{path}".find(f"/{name}") >= 0]
            yield from (Pointed(path, f"in {name}, which the request names", True) for path in inside[:_FILES_PER_NAME])
            continue
        for wanted in _file_names(name):
            known = by_name.get(wanted.rpartition("/")[2], [])
            alike = [wanted] if wanted in known else [path for path in known if _ends_alike(path, wanted)]
            yield from (Pointed(path, f"the request names {name}", True) for path in alike[:_FILES_PER_NAME])
            if alike:
                break


def _file_names(name: str) -> Iterator[str]:
    """The files that a name may mean: itself, or the module of a dotted name and of all but its last part."""
    path = _DRIVE.sub("/", name.replace("\\", "/")).removeprefix("./")
    yield path
    parts = path.split(".")
    if "/" not in path and len(parts) > 1:
        yield "/".join(parts) + ".py"
        yield "/".join(parts[:-1]) + ".py"


def _ends_alike(path: str, name: str) -> bool:
    """Whether a tracked path is the named one: a person's is often short, a traceback's lies where it was installed."""
    installed = _INSTALLED.sub("", name)
    if installed != name:
        return f"/{path}".endswith(f"/{installed}")
    return name.endswith(f"/{path}") if name.startswith("/") else f"/{path}".endswith(f"/{name}")


async def _containing(tree: Path, name: str) -> list[str]:
    text = await git.git(tree, "grep", "-l", "-z", "-I", "-F", "-w", "-e", name, check=False)
    return [path for path in text.split("\0") if path]


def _by_word(words: Sequence[str], tracked: Sequence[str]) -> Iterator[Pointed]:
    """Files that bear a word of the title as a part of their name; a word that names many says nothing."""
    wanted = {form: word for word in words for form in (word, word.removesuffix("s"))}
    bearing: dict[str, list[str]] = {}
    for path in tracked:
        parts = path.rpartition("/")[2].partition(".")[0].lower().replace("-", "_").split("_")
        for word in dict.fromkeys(wanted[part] for part in parts if part in wanted):
            bearing.setdefault(word, []).append(path)
    for word, paths in bearing.items():
        if len(paths) <= _FILES_PER_NAME:
            yield from (Pointed(path, f"its name holds the title's word {word}", False) for path in paths)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is measured before the rules look at it. `changes` counts commits among the last `commits` per path."""

    tech: Json
    files: tuple[str, ...]
    """The files that the request names, at most _FILES_JUDGED."""
    commits: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    untested: tuple[str, ...] = ()


async def measured(tree: Path, tech: Json, files: Sequence[Json]) -> Facts:
    """The facts about the files that the context assembler found named in the request."""
    named = tuple(entry["path"] for entry in files if isinstance(entry, dict) and entry.get("named"))[:_FILES_JUDGED]
    log = await git.git(tree, "log", "-z", f"--max-count={_COMMITS_SEEN}", "--name-only", "--format=%x01", check=False)
    code = [path for path in named if PurePosixPath(path).suffix in _CODE_SUFFIXES and not is_test_file(path, tech)]
    users = await asyncio.gather(*(_containing(tree, _module(path)) for path in code))
    return Facts(
        tech=tech,
        files=named,
        commits=log.count("\x01"),
        changes=Counter(path.strip("\n") for path in log.replace("\x01", "\0").split("\0") if path.strip("\n")),
        untested=tuple(
            path for path, using in zip(code, users, strict=True) if not any(is_test_file(user, tech) for user in using)
        ),
    )


def _module(path: str) -> str:
    """The name by which others use a file: a package's for its `__init__`."""
    place = PurePosixPath(path)
    return place.parent.name or place.stem if place.stem in ("__init__", "index", "mod") else place.stem


def computed_risks(facts: Facts) -> list[Json]:
    """The risks that the facts show, each with the evidence in its text. Pure."""
    return [*_often_changed(facts), *_migrations(facts), *_no_tests(facts), *_untested(facts)]


def _often_changed(facts: Facts) -> Iterator[Json]:
    for path in facts.files:
        times = facts.changes[path]
        if times >= _OFTEN_CHANGED:
            yield _risk(
                f"{path} was changed by {times} of the last {facts.commits} commits: others may be changing it now.",
                "medium",
                "apm changes it in a worktree of its own; R1 runs the whole test suite on the branch before the merge.",
            )


def _migrations(facts: Facts) -> Iterator[Json]:
    folders = [f"{folder.rstrip('/')}/" for folder in facts.tech.get("migrations") or () if isinstance(folder, str)]
    touched = [path for path in facts.files if any(path.startswith(folder) for folder in folders)]
    if touched:
        yield _risk(
            f"The request names {touched[0]}, which lies in a folder of database migrations.",
            "high",
            "I1's gate asks for a migration where the schema changed; nothing is merged before R1's tests pass.",
        )


def _no_tests(facts: Facts) -> Iterator[Json]:
    if not facts.tech.get("test_dirs") and facts.commits:
        yield _risk(
            "The project has no folder of tests, so nothing shows what a change breaks.",
            "high",
            "R1 passes only with at least one test that ran and the coverage it asks for, so I1 has to add tests.",
        )


def _untested(facts: Facts) -> Iterator[Json]:
    if facts.tech.get("test_dirs"):
        for path in facts.untested:
            yield _risk(
                f"No test file mentions {_module(path)}, so nothing shows what a change to {path} breaks.",
                "medium",
                "I1 writes tests with the change, and R1 asks for its coverage before the merge.",
            )


def _risk(text: str, severity: str, mitigation: str) -> Json:
    return {"text": one_line(text, 500), "severity": severity, "mitigation": mitigation}
