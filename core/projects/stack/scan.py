"""A project's stack from its files: manifests read, packages found, facts merged."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Container, Iterator, Sequence
from itertools import islice
from pathlib import Path

from core.projects import git
from core.projects.stack import dotnet, go, gradle, maven, native, node, others, php, python, ruby, rust, swift
from core.projects.stack.databases import database_facts
from core.projects.stack.dependencies import TABLES, words_of
from core.projects.stack.facts import Fact, Stack
from core.projects.stack.imports import source_facts
from core.projects.stack.infrastructure import infrastructure_facts
from core.projects.stack.inventory import WORKSHOP, Inventory, Packages
from core.projects.stack.kinds import Parts, type_facts
from core.projects.stack.languages import language_facts
from core.projects.stack.manifest import Dependency, Manifest
from core.projects.stack.vocabulary import Category
from core.projects.tree import Tree
from core.sanitise import one_line

Reader = Callable[[Tree, str], Manifest | None]

MOST_MANIFESTS = 400
"""Manifests of one kind that are read, the outermost first."""

MOST_CHARACTERS = 4 * 2**20
"""Characters of the manifests of one kind; a thousand packages have half of that, and reading it takes seconds."""

READERS: tuple[tuple[str, Reader], ...] = (
    (r"pyproject\.toml", python.read_pyproject),
    (r"setup\.cfg", python.read_setup_cfg),
    (r"setup\.py", python.read_setup_py),
    (r"pipfile", python.read_pipfile),
    (r"[\w.-]*requirements[\w.-]*\.(txt|in)", python.read_requirements),
    (r"requirements/[\w.-]+\.(txt|in)", python.read_requirements),
    (r"package\.json", node.read_package_json),
    (r"tsconfig\.json", node.read_tsconfig),
    (r"deno\.jsonc?", node.read_deno_json),
    (r"go\.mod", go.read_go_mod),
    (r"cargo\.toml", rust.read_cargo_toml),
    (r"pom\.xml", maven.read_pom),
    (r"build\.gradle(\.kts)?", gradle.read_gradle),
    (r".*\.csproj", dotnet.read_csproj),
    (r"directory\.build\.props", dotnet.read_props),
    (r"packages\.config", dotnet.read_packages_config),
    (r"gemfile", ruby.read_gemfile),
    (r".*\.gemspec", ruby.read_gemspec),
    (r"composer\.json", php.read_composer_json),
    (r"package\.swift", swift.read_package_swift),
    (r"pubspec\.yaml", others.read_pubspec),
    (r"mix\.exs", others.read_mix),
    (r"build\.sbt", others.read_sbt),
    (r"dbt_project\.yml", others.read_dbt),
    (r"cmakelists\.txt", native.read_cmake),
    (r"meson\.build", native.read_meson),
    (r"makefile\.am", native.read_automake),
    (r"vcpkg\.json", native.read_vcpkg),
    (r"conanfile\.(txt|py)", native.read_conanfile),
)
"""Lower-case file names, with the folder where only one counts, and what reads them; evidence comes in this order."""

LOCKS: tuple[tuple[str, Reader], ...] = (
    (r"uv\.lock", python.read_uv_lock),
    (r"package-lock\.json", node.read_package_lock),
    (r"pnpm-lock\.yaml", node.read_pnpm_lock),
    (r"gemfile\.lock", ruby.read_gemfile_lock),
    (r"packages\.lock\.json", dotnet.read_packages_lock),
)
"""Locks that tell direct dependencies from those of others. Read where no manifest of the ecosystem stands beside.

yarn.lock, poetry.lock, pdm.lock, Cargo.lock, composer.lock and go.sum do not tell, so they show nothing of their own.
"""


async def scan(path: Path) -> Stack:
    """The stack of the repository at `path`: of what git tracks, and of what it would take in.

    Raises GitError when it is no repository's top.
    """
    return await asyncio.to_thread(_stack_at, path, await git.listed_files(path))


def _stack_at(path: Path, files: Sequence[str]) -> Stack:
    return stack_of(Tree.of(path, files))


def stack_of(tree: Tree) -> Stack:
    inventory = Inventory.of(tree)
    manifests = _without_bundled(tuple(_manifests(inventory)))
    # What a C project builds in sub-folders is one thing: CMake's files there are chapters of one manifest.
    packages = Packages(manifest.folder for manifest in manifests if manifest.ecosystem != "c")
    languages = tuple(language_facts(inventory, packages, manifests)) or tuple(
        language_facts(inventory.with_aside(), packages, manifests)
    )
    dependencies = tuple(_dependency_facts(manifests, packages))
    more = tuple(source_facts(inventory, packages, manifests))
    found = (*dependencies, *more)
    frameworks = [fact for fact in found if fact.category == "framework"]
    return Stack.of(
        (
            *languages,
            *found,
            *type_facts(Parts(inventory, packages, manifests, frameworks)),
            *infrastructure_facts(inventory, packages),
            *database_facts(inventory, packages),
        )
    )


def _manifests(inventory: Inventory) -> Iterator[Manifest]:
    """Every manifest of the project's own folders, whether a workspace lists its package or not.

    Those of examples, fixtures, templates and tests are not the project's, nor those of its developers' tools; see
    `inventory.ASIDE` and `inventory.WORKSHOP`.
    """
    inventory = inventory.narrowed(*(pattern.rpartition("/")[2] for pattern, _ in (*READERS, *LOCKS)))
    described: set[tuple[str, str]] = set()
    for pattern, read in READERS:
        for manifest in _read(inventory, pattern, read):
            described.add((manifest.folder, manifest.ecosystem))
            yield manifest
    for pattern, read in LOCKS:
        for manifest in _read(inventory, pattern, read):
            if (manifest.folder, manifest.ecosystem) not in described:
                yield manifest


_BUNDLED = re.compile(r"(^|/)(src|source|libs?|plugins)/")


def _without_bundled(manifests: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    """The manifests without those of C projects that are carried along among the sources of another one.

    Such a copy calls its own `project()`, somewhere below `src/` or below the folder of the project around it.
    """
    projects = {manifest.folder for manifest in manifests if manifest.ecosystem == "c" and manifest.name}
    copies = {folder for folder in projects if _BUNDLED.search(folder) or _lies_below(folder, projects)}
    return tuple(
        manifest
        for manifest in manifests
        if manifest.ecosystem != "c" or not (manifest.folder in copies or _lies_below(manifest.folder, copies))
    )


def _lies_below(folder: str, others: Container[str]) -> bool:
    """Whether a folder is inside of one of the others."""
    while folder:
        folder = folder.rpartition("/")[0]
        if folder in others:
            return True
    return False


def _read(inventory: Inventory, pattern: str, read: Reader) -> Iterator[Manifest]:
    folder, _, name = pattern.rpartition("/")
    left = MOST_CHARACTERS
    for path in islice(_paths(inventory, folder, name), MOST_MANIFESTS):
        left -= len(inventory.tree.read(path))
        if left < 0:
            return
        if manifest := read(inventory.tree, path):
            yield manifest


def _paths(inventory: Inventory, folder: str, name: str) -> Iterator[str]:
    for path in inventory.matching(name):
        stands = path.rpartition("/")[0].rpartition("/")[2]
        if (not folder or stands == folder) and not WORKSHOP.match(path):
            yield path


def _dependency_facts(manifests: Sequence[Manifest], packages: Packages) -> Iterator[Fact]:
    """Frameworks and databases that manifests depend on, and what else they say of themselves.

    A package of the repository itself is no dependency: the framework's own project does not use the framework.
    """
    own = {(manifest.ecosystem, manifest.name) for manifest in manifests if manifest.name}
    for manifest in manifests:
        package, file = packages.of(manifest.path), f"`{one_line(manifest.path)}`"
        for sign in manifest.signs:
            yield Fact(sign.category, sign.word, f"{file} {one_line(sign.says)}", package)
        for (category, word), dependency in _first_of_each_word(manifest, own).items():
            yield Fact(category, word, f"{file} {_depends(dependency)}", package)


def _first_of_each_word(manifest: Manifest, own: Container[tuple[str, str]]) -> dict[tuple[Category, str], Dependency]:
    """The first dependency of a manifest that stands for a word: another adds nothing."""
    found: dict[tuple[Category, str], Dependency] = {}
    for dependency in manifest.dependencies:
        if dependency.counts and (manifest.ecosystem, dependency.name) not in own:
            for category in TABLES:
                for word in words_of(category, manifest.ecosystem, dependency.name):
                    found.setdefault((category, word), dependency)
    return found


def _depends(dependency: Dependency) -> str:
    verb = "is built with" if dependency.group == "build" else "depends on"
    return f"{verb} {one_line(f'{dependency.name} {dependency.wanted}'.strip(), 80)}"
