"""Which languages a project is written in: those a manifest declares, and those with a real share of its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from core.projects.stack.facts import Fact
from core.projects.stack.inventory import Inventory, Packages
from core.projects.stack.manifest import Manifest
from core.projects.stack.vocabulary import LANGUAGES as WORDS
from core.sanitise import one_line

LEAST_FILES = 3
LEAST_SHARE = 0.05

LANGUAGES = {
    ending: language
    for language, endings in {
        "python": "py pyi pyx",
        "javascript": "js mjs cjs jsx",
        "typescript": "ts tsx mts cts",
        "go": "go",
        "rust": "rs",
        "java": "java",
        "kotlin": "kt kts",
        "scala": "scala",
        "ruby": "rb",
        "php": "php",
        "c": "c h",
        "c++": "cc cpp cxx hpp hh",
        "c#": "cs",
        "swift": "swift",
        "dart": "dart",
        "elixir": "ex exs",
        "r": "r",
        "lua": "lua",
        "shell": "sh bash zsh",
        "sql": "sql",
        "html": "html htm",
        "css": "css scss sass less",
        "vue": "vue",
        "svelte": "svelte",
        "terraform": "tf",
    }.items()
    for ending in endings.split()
}
"""The one table of endings. What is no word of the vocabulary counts for nothing here."""

_COUNTED = {ending: language for ending, language in LANGUAGES.items() if language in WORDS}
_SETTINGS = (
    r".*\.min\.\w+|.*\.config\.\w+|\.?\w*rc\.[cm]?js|(gulp|grunt|cake|web)file\.\w+|.*\.gradle\.kts|settings\.kts"
    r"|.*\.d\.ts|.*[._]pb2?(_grpc)?\.\w+|.*\.g\.dart|.*\.designer\.cs|setup\.py|noxfile\.py|conftest\.py"
    r"|jest\.setup\.\w+|vite-env\.d\.ts|rakefile|dangerfile|package\.js"
)
"""Files that set a tool up, or that a tool wrote: nobody chose the language for them."""


def language_facts(inventory: Inventory, packages: Packages, manifests: Sequence[Manifest]) -> Iterator[Fact]:
    """A language counts with 3 files and 5 % of the source files, or with one file where a manifest declares it.

    Files are those of the project itself, without settings and generated code; headers go to C or C++, whichever has
    more sources. Shares are taken over the whole, evidence is told per package.
    """
    counts = _counts(inventory, packages)
    whole: Counter[str] = Counter()
    for (_, ending), number in counts.items():
        whole[_language(ending, counts)] += number
    declared = {language for manifest in manifests for language in manifest.languages}
    known = [language for language in whole if _is_used(whole, language, language in declared)]
    for language in known:
        yield from _evidence(language, counts)
        for manifest in manifests:
            if language in manifest.languages:
                yield Fact("language", language, f"`{one_line(manifest.path)}` declares it", manifest.folder)


def _is_used(whole: Counter[str], language: str, declared: bool) -> bool:
    if declared:
        return True
    return whole[language] >= LEAST_FILES and whole[language] >= LEAST_SHARE * whole.total()


def _evidence(language: str, counts: Counter[tuple[str, str]]) -> Iterator[Fact]:
    """ "214 .py files": of the whole where several packages have some, then of each, the one with the most first."""
    by_package: dict[str, Counter[str]] = {}
    for (package, ending), number in counts.items():
        if _language(ending, counts) == language:
            by_package.setdefault(package, Counter())[ending] += number
    if len(by_package) > 1:
        yield Fact("language", language, _number_of_files(sum(by_package.values(), Counter())))
        by_package.pop("", None)
    for package, endings in sorted(by_package.items(), key=lambda entry: -entry[1].total()):
        yield Fact("language", language, _number_of_files(endings), package)


def _number_of_files(endings: Counter[str]) -> str:
    """The ending that most of the files have."""
    ending, number = endings.most_common(1)[0]
    return f"{number:,} .{ending} file{'s' if number != 1 else ''}"


def _counts(inventory: Inventory, packages: Packages) -> Counter[tuple[str, str]]:
    """Source files by package and ending."""
    counts: Counter[tuple[str, str]] = Counter()
    settings = frozenset(inventory.matching(_SETTINGS))
    for ending in _COUNTED:
        for path in inventory.by_ending.get(ending, ()):
            if path not in settings:
                counts[packages.of(path), ending] += 1
    return counts


def _language(ending: str, counts: Counter[tuple[str, str]]) -> str:
    if ending != "h":
        return _COUNTED[ending]
    return "c++" if _number(counts, ("cc", "cpp", "cxx")) > _number(counts, ("c",)) else "c"


def _number(counts: Counter[tuple[str, str]], endings: Iterable[str]) -> int:
    wanted = frozenset(endings)
    return sum(number for (_, ending), number in counts.items() if ending in wanted)
