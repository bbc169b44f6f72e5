"""How a repository is written, measured: typing, docstrings, naming, how its tests are laid out; each with an example.

Everything here is counted in the files that git tracks. Where there are too few of something to speak of a habit,
nothing is said about it.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.agents.branch import is_doc_file, is_test_file, shown
from core.contract import Json

FILE_BYTES = 200_000
FILES_READ = 2_000
FILES_PARSED = 200
ENOUGH = 3
"""Fewer functions, classes or tests than this make no habit."""
FILES_NAMED = 8
TESTS_NAMED = 5

_WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]{2,}|[a-z]{2,}")
_DEFINED = re.compile(r"^[ \t]*(?:export |async |pub )*(?:def|class|function|func|fn|struct|interface) (\w+)", re.M)
_TEST_AFFIX = re.compile(r"^tests?_|_tests?$|[.-](test|spec)$")
_COMMON = frozenset(
    word
    for line in (
        "add allow also and any are been before but can change check does done each every for from get given has have",
        "into its make must new not now off one only our out set shall should show such than that the their them then",
        "there they this test tests use used user users uses using via want was when where which while who will with",
        "without work works would you your code file files function task line lines",
    )
    for word in line.split()
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """One tracked file of code."""

    path: str
    text: str
    is_test: bool


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file that parses."""

    path: str
    tree: ast.Module

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))


def read_sources(root: Path, paths: Sequence[str], tech: Json) -> list[Source]:
    """The code files among `paths`, within `FILES_READ` and `FILE_BYTES`; links are not followed."""
    found: list[Source] = []
    for path in paths:
        place = root / path
        if len(found) >= FILES_READ:
            break
        if is_code(path) and not place.is_symlink() and place.is_file() and place.stat().st_size <= FILE_BYTES:
            text = place.read_text(encoding="utf-8", errors="replace")
            found.append(Source(path, text, is_test_file(path, tech)))
    return found


def is_code(path: str) -> bool:
    return PurePosixPath(path).suffix in (".py", ".pyi", ".js", ".jsx", ".ts", ".tsx", ".go", ".rs", ".java", ".rb")


def _modules(sources: Sequence[Source]) -> list[Module]:
    """At most `FILES_PARSED` of the Python files, evenly spread: habits show in a sample, and parsing is slow."""
    python = [source for source in sources if source.path.endswith(".py")]
    step = -(-len(python) // FILES_PARSED) or 1
    found = []
    for source in python[::step]:
        with contextlib.suppress(SyntaxError, ValueError, RecursionError):
            found.append(Module(source.path, ast.parse(source.text)))
    return found


def words_of(text: str) -> set[str]:
    """The telling words of a text: identifiers taken apart, common words and endings dropped."""
    words = {match.group().lower() for match in _WORD.finditer(text)}
    return {_stem(word) for word in words if len(word) > 2 and word not in _COMMON}


def _stem(word: str) -> str:
    """`exports`, `exported` and `export` are one word here; short words stay as they are."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)]
            break
    return word.removesuffix("e") if len(word) > 4 else word


@dataclass(frozen=True, slots=True)
class Match:
    """A file that the task's words point to."""

    path: str
    score: float
    words: tuple[str, ...]


def related(sources: Iterable[Source], wanted: AbstractSet[str]) -> list[Match]:
    """Files by how many of the wanted words they have: in the path 3 points, in a name they define 2, in the text 1.

    A word that most files have says little: its points are divided by the number of files that have it.
    """
    if not wanted:
        return []
    mention = re.compile(f"(?<![a-z])(?:{'|'.join(sorted(wanted, key=len, reverse=True))})")
    places = []
    for source in sources:
        names = words_of(" ".join(_DEFINED.findall(source.text))) & wanted
        places.append((source.path, words_of(source.path) & wanted, names, set(mention.findall(source.text.lower()))))
    spread = Counter(word for _, path, names, text in places for word in path | names | text)
    matches = []
    for place, path, names, text in places:
        hits = path | names | text
        score = sum((3 * (word in path) + 2 * (word in names) + (word in text)) / spread[word] for word in hits)
        if hits:
            matches.append(Match(place, round(score, 4), tuple(sorted(hits))))
    return sorted(matches, key=lambda match: (-match.score, match.path))


def tests_for(sources: Iterable[Source], files: Sequence[str], wanted: AbstractSet[str]) -> list[str]:
    """Test files that carry the name of one of `files`, then those that the words point to."""
    tests = [source for source in sources if source.is_test]
    by_name = [source.path for path in files for source in tests if _subject(source.path) == PurePosixPath(path).stem]
    by_word = [match.path for match in related(tests, wanted)]
    return list(dict.fromkeys([*by_name, *by_word]))[:TESTS_NAMED]


def _subject(path: str) -> str:
    """What a test file is about, by its name: `test_parser.py`, `parser_test.py`, `parser.spec.ts` → parser."""
    return _TEST_AFFIX.sub("", PurePosixPath(path).stem)


def habits(sources: Sequence[Source], tracked: Sequence[str], tech: Json) -> list[Json]:
    """What the repository does as a rule: `{name, where, example}`, the figures in the name."""
    tests = [source for source in sources if source.is_test]
    code, checks = _modules([source for source in sources if not source.is_test]), _modules(tests)
    found = [
        _share("functions typed", code, _public_functions, _is_typed),
        _share("public functions with a docstring", code, _public_functions, _has_docstring),
        _share("functions that are async", code, Module.functions, _is_async, least=10),
        _share("classes that are dataclasses", code, Module.classes, _is_dataclass, least=10),
        _share("tests written as functions", checks, _all_tests, _is_module_level),
        _share("tests that use parametrize", checks, _all_tests, _is_parametrised, least=10),
        _test_layout(tests),
        _documents(tracked, tech),
    ]
    return [habit for habit in found if habit]


def _share(
    name: str,
    modules: Sequence[Module],
    members: Callable[[Module], Iterable[ast.AST]],
    has: Callable[[ast.AST], bool],
    least: int = 0,
) -> Json | None:
    """One habit as a percentage with the first example of it; None below `least` percent or without enough members."""
    every = [(module, node) for module in modules for node in members(module)]
    good = [(module, node) for module, node in every if has(node)]
    percent = 100 * len(good) // len(every) if every else 0
    if len(every) < ENOUGH or percent < least:
        return None
    where = shown(", ".join(sorted({PurePosixPath(module.path).parts[0] for module, _ in every})[:4]))
    example = f"{shown(good[0][0].path)}:{getattr(good[0][1], 'lineno', 1)}" if good else ""
    return {"name": f"{name}: {percent} % of {len(every)}", "where": where, "example": example}


def _public_functions(module: Module) -> Iterator[ast.AST]:
    return (node for node in module.functions() if not node.name.startswith("_"))


def _all_tests(module: Module) -> Iterator[ast.AST]:
    return (node for node in module.functions() if node.name.startswith("test"))


def _is_typed(node: ast.AST) -> bool:
    """Every argument but `self` and `cls` has a type, and the result has one."""
    assert isinstance(node, Function)
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return node.returns is not None and all(a.annotation or a.arg in ("self", "cls") for a in arguments)


def _has_docstring(node: ast.AST) -> bool:
    return isinstance(node, Function | ast.ClassDef) and bool(ast.get_docstring(node))


def _is_async(node: ast.AST) -> bool:
    return isinstance(node, ast.AsyncFunctionDef)


def _is_dataclass(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(d) for d in node.decorator_list)


def _is_module_level(node: ast.AST) -> bool:
    """A method has `self` first; nothing else tells them apart without the parent."""
    assert isinstance(node, Function)
    return not (node.args.args and node.args.args[0].arg == "self")


def _is_parametrised(node: ast.AST) -> bool:
    return isinstance(node, Function) and any("parametrize" in ast.unparse(d) for d in node.decorator_list)


def _test_layout(tests: Sequence[Source]) -> Json | None:
    """Where tests lie and what their files are called."""
    if not tests:
        return None
    folders = Counter(str(PurePosixPath(source.path).parent) for source in tests)
    prefixed = [source.path for source in tests if PurePosixPath(source.path).name.startswith("test_")]
    style = "test_*" if len(prefixed) * 2 >= len(tests) else "other names"
    return {
        "name": f"test files: {len(tests)}, named {style}",
        "where": shown(", ".join(folder for folder, _ in folders.most_common(3))),
        "example": f"{shown((prefixed or [tests[0].path])[0])}:1",
    }


def _documents(tracked: Sequence[str], tech: Json) -> Json | None:
    documents = [path for path in tracked if is_doc_file(path, tech)]
    if not documents:
        return None
    folders = Counter(str(PurePosixPath(path).parent) for path in documents)
    where = shown(", ".join(folder for folder, _ in folders.most_common(3)))
    return {"name": f"documents: {len(documents)}", "where": where, "example": f"{shown(documents[0])}:1"}
