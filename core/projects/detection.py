"""What a repository is made of, from the files that git lists; nothing in it is executed, imported or changed."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from core.contract import Json
from core.projects import git
from core.projects.python_package import manifests, package_of, packaging_of, version_place
from core.projects.stack.facts import Stack
from core.projects.stack.languages import LANGUAGES
from core.projects.stack.scan import scan, stack_of
from core.projects.toolchain import analysers, test_dirs, test_runner
from core.projects.tree import Tree, dig

MOST_DOCS = 200

OTHER_PACKAGING = (
    ("package.json", "package.json"),
    ("Cargo.toml", "cargo"),
    ("go.mod", "go"),
    ("pom.xml", "maven"),
    ("build.gradle", "gradle"),
    ("build.gradle.kts", "gradle"),
    ("composer.json", "composer"),
    ("Gemfile", "gem"),
)
"""Manifests of other languages than Python, and the packaging that each means."""

_CHANGELOGS = (r"CHANGELOG", r"CHANGES", r"HISTORY", r"NEWS", r"RELEASE[-_ ]?NOTES")
_DOC = re.compile(r"docs?/.*\.(md|rst|txt|adoc)", re.IGNORECASE)


async def detect(path: Path) -> Json:
    """The `tech` of the project at `path`: see the keys below. Raises GitError when it is no repository's top."""
    tracked, stack = await asyncio.gather(git.tracked_files(path), scan(path))
    return await asyncio.to_thread(_tech_at, path, tracked, stack)


async def detect_test_runner(path: Path) -> str | None:
    """What runs the tests that git lists at `path`: a branch may hold the first tests that its project has."""
    tracked = await git.tracked_files(path)
    return await asyncio.to_thread(_test_runner_at, path, tracked)


def _test_runner_at(path: Path, tracked: Sequence[str]) -> str | None:
    tree = Tree.of(path, tracked)
    return test_runner(tree, manifests(tree))


def _tech_at(path: Path, tracked: Sequence[str], stack: Stack) -> Json:
    return tech_of(Tree.of(path, tracked), stack)


def tech_of(tree: Tree, stack: Stack | None = None) -> Json:
    """What is there, None or an empty list for what is not; `source_root` is the folder that imports begin at.

    `stack` is that of the tree when none is given: the one with untracked files is the better one, as a project that
    is only begun has little else. Everything but the stack is about what a commit holds.
    """
    stack = stack_of(tree) if stack is None else stack
    found = manifests(tree)
    packaging = packaging_of(tree, found)
    package = package_of(tree, found)
    return {
        "languages": _languages(tree),
        "frameworks": sorted(stack.words("framework")),
        "packaging": packaging or next((name for file, name in OTHER_PACKAGING if tree.has(file)), None),
        "package": package.name if package else None,
        "layout": None if package is None else "src" if package.root else "flat",
        "source_root": package.root if package else None,
        "version_file": version_place(tree, found, package) or _other_version_place(tree),
        "changelog": _changelog(tree),
        "test_dirs": test_dirs(tree, found, package),
        "test_runner": test_runner(tree, found),
        "analysers": analysers(tree, found, package),
        "docs": _docs(tree),
        "migrations": _migrations(tree),
        "stack": stack.as_json(),
    }


def _languages(tree: Tree) -> list[str]:
    """The languages of the files, the one with the most files first."""
    names = (path.rpartition("/")[2].lower() for path in tree.paths)
    extensions = (name.rpartition(".")[2] for name in names if "." in name and ".min." not in name)
    counted = Counter(LANGUAGES[extension] for extension in extensions if extension in LANGUAGES)
    return sorted(counted, key=lambda language: (-counted[language], language))


def _other_version_place(tree: Tree) -> Json | None:
    if isinstance(tree.json("package.json").get("version"), str):
        return {"path": "package.json", "kind": "package.json"}
    cargo = tree.toml("Cargo.toml")
    if any(isinstance(dig(cargo, *names, "version"), str) for names in (("package",), ("workspace", "package"))):
        return {"path": "Cargo.toml", "kind": "cargo"}
    return {"path": None, "kind": "vcs"} if tree.has("go.mod") else None


def _changelog(tree: Tree) -> str | None:
    for folder in ("", "docs/", "doc/"):
        for name in _CHANGELOGS:
            pattern = re.compile(rf"{folder}{name}(\.(md|rst|txt|adoc))?", re.IGNORECASE)
            found = [path for path in tree.paths if pattern.fullmatch(path)]
            if found:
                return found[0]
    return None


def _docs(tree: Tree) -> list[str]:
    readmes = tree.top(r"README(\.\w+)?")
    return [*readmes, *(path for path in tree.paths if _DOC.fullmatch(path))][:MOST_DOCS]


def _migrations(tree: Tree) -> list[str]:
    """Folders of database migrations: named so, or where alembic's settings put them; those of tests do not count."""
    script = tree.ini("alembic.ini").get("alembic", {}).get("script_location", "")
    versions = f"{script.replace('%(here)s/', '').strip('./')}/versions" if script else "alembic/versions"
    pattern = re.compile(rf"((?:.*/)?migrations|(?:.*/)?db/migrate|{re.escape(versions)})/(?:.*/)?[^/]+\.(py|sql|rb)")
    folders = dict.fromkeys(match[1] for path in tree.paths if (match := pattern.fullmatch(path)))
    return [folder for folder in folders if not re.search(r"(^|/)tests?(/|$)", folder)]
