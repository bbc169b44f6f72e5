"""What a work item's branch consists of: which of its files are tests or documents, and what is not committed yet."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from core.contract import Json
from core.projects import git
from core.sanitise import sanitise

PATH_CHARACTERS = 500

_TEST_FOLDERS = {"test", "tests", "testing", "__tests__", "spec", "specs"}
_TEST_NAME = re.compile(r"test_.*|.*_test|conftest|.*[.-](test|spec)|.*(Test|Tests|Spec)")
_CODE_SUFFIXES = (
    *("py", "pyi", "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "vue", "svelte", "go", "rs", "java", "kt"),
    *("kts", "scala", "cs", "rb", "php", "swift", "dart", "ex", "exs", "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "m"),
)
_CODE = frozenset(f".{suffix}" for suffix in _CODE_SUFFIXES)
_DOC_SUFFIXES = {".md", ".rst", ".adoc", ".mdx"}
_CHANGELOG = re.compile(r"(changelog|changes|history|news|releases?)\b.*", re.I)
_TEST_SETTINGS = (
    *("conftest.py", "sitecustomize.py", "usercustomize.py", "pyproject.toml", "setup.cfg", "tox.ini", "GNUmakefile"),
    *("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", ".coveragerc", ".coveragerc.toml"),
    *("jest.config.*", "vitest.config.*", "vite.config.*", "vitest.workspace.*", "babel.config.*", ".babelrc*"),
    *(".mocharc.*", ".nycrc*", ".c8rc*"),
)
"""What tells the tools of a test run what to run and what to count, wherever in a project it lies."""
_NOT_OURS = ("node_modules/", ".venv/", "venv/", ".tox/", ".nox/")


def shown(path: str) -> str:
    """A file's name as it may stand in a response: git allows any character in it, a terminal must not meet them."""
    return sanitise(path, limit=PATH_CHARACTERS, keep_newlines=False)


def is_test_file(path: str, tech: Json | None = None) -> bool:
    """Whether a file belongs to the tests: by the project's own folders, a conventional folder, or its name."""
    place = PurePosixPath(path)
    folders = tuple(f"{name.rstrip('/')}/" for name in (tech or {}).get("test_dirs") or () if name not in ("", "."))
    if folders and path.startswith(folders):
        return True
    if place.suffix not in _CODE:
        return False
    return bool(_TEST_FOLDERS & {part.lower() for part in place.parts[:-1]}) or bool(_TEST_NAME.fullmatch(place.stem))


def is_code_file(path: str) -> bool:
    """Whether a file is written in a programming language, by its name."""
    return PurePosixPath(path).suffix in _CODE


def is_doc_file(path: str, tech: Json | None = None) -> bool:
    """Whether a file tells people about the project. The changelog does not count: the release writes it."""
    place = PurePosixPath(path)
    if path == (tech or {}).get("changelog") or (len(place.parts) == 1 and _CHANGELOG.fullmatch(place.stem)):
        return False
    return place.suffix in _DOC_SUFFIXES or place.name.upper().startswith("README") or place.parts[0] in ("docs", "doc")


async def uncommitted(worktree: Path) -> list[str]:
    """What a merge would not bring along: changed tracked files, code that git does not know yet, and `loose_settings`.

    Other untracked files are left aside: tests and tools leave such behind.
    """
    changed = [path for code, path in await git.status(worktree, untracked=False) if code.strip()]
    unknown = await git.git(worktree, "ls-files", "--others", "--exclude-standard", "-z")
    code = [
        path for path in unknown.split("\0") if PurePosixPath(path).suffix in _CODE and not path.startswith(_NOT_OURS)
    ]
    return list(dict.fromkeys([*(shown(path) for path in [*changed, *code]), *await loose_settings(worktree)]))


async def loose_settings(worktree: Path) -> list[str]:
    """Settings of test tools that no commit has, ignored ones too: they would decide what a run of the tests says.

    Those in folders without a tracked file are left aside: environments and builds are full of such.
    """
    wanted = [f":(glob)**/{name}" for name in _TEST_SETTINGS]
    found = await git.git(worktree, "ls-files", "--others", "-z", "--", *wanted, env={"GIT_LITERAL_PATHSPECS": "0"})
    paths = [PurePosixPath(path) for path in found.split("\0") if path and not path.endswith("/")]
    if not paths:
        return []
    ours = {folder for path in await git.tracked_files(worktree) for folder in PurePosixPath(path).parents}
    return [shown(str(path)) for path in paths if path.parent in ours]
