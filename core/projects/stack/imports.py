"""Facts that no manifest tells: imports of source files, and the files of notebooks and API descriptions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from core.projects.stack.dependencies import words_of
from core.projects.stack.facts import Fact
from core.projects.stack.formats import yaml_table
from core.projects.stack.inventory import Inventory, Packages
from core.projects.stack.manifest import Manifest
from core.projects.stack.vocabulary import Category
from core.projects.tree import Tree
from core.sanitise import one_line

MOST_SOURCES = 200
"""Source files that are read for their imports, the outermost first."""
MOST_CHARACTERS = 2**17
"""A source file that is larger is data or was generated; parsing it would take seconds."""
LEAST_NOTEBOOKS = 2

_PYTHON_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)|import[ \t]+([\w., \t]+))", re.MULTILINE)
_SWIFT_UI = re.compile(r"^[ \t]*(?:@\w+[ \t]+)*import[ \t]+SwiftUI\b", re.MULTILINE)
_IMPORT_NAMES = {"sklearn": "scikit-learn", "rest_framework": "djangorestframework", "psycopg2": "psycopg2"}
_OPENAPI = r"(open-?api|swagger|api-?spec)[\w.-]*\.(ya?ml|json)"


def source_facts(inventory: Inventory, packages: Packages, manifests: Sequence[Manifest]) -> Iterator[Fact]:
    yield from _python(inventory, packages, manifests)
    yield from _swift(inventory, packages)
    yield from _notebooks(inventory, packages)
    yield from _descriptions(inventory, packages)


def _python(inventory: Inventory, packages: Packages, manifests: Sequence[Manifest]) -> Iterator[Fact]:
    """Imports stand for dependencies in a package that no manifest describes; sqlite3 comes with Python itself."""
    described = {packages.of(manifest.path) for manifest in manifests if manifest.ecosystem == "pypi"}
    own = {manifest.name for manifest in manifests if manifest.ecosystem == "pypi"}
    seen: set[tuple[str, str]] = set()
    for path in islice(inventory.ending("py"), MOST_SOURCES):
        package = packages.of(path)
        wanted = {"sqlite3"} if _is_described(package, described) else None
        for name in _imported(inventory.tree, path, wanted):
            for category, word in _words_of_import(name):
                if (package, word) not in seen and name.replace("_", "-") not in own:
                    seen.add((package, word))
                    yield Fact(category, word, f"`{one_line(path)}` imports {name}", package)


def _is_described(package: str, described: set[str]) -> bool:
    """Whether the package or one around it has a manifest."""
    while package and package not in described:
        package = package.rpartition("/")[0]
    return package in described


def _words_of_import(name: str) -> Iterator[tuple[Category, str]]:
    distribution = _IMPORT_NAMES.get(name, name.replace("_", "-"))
    if name == "sqlite3":
        yield "database", "sqlite"
    for word in words_of("framework", "pypi", distribution):
        yield "framework", word
    for word in words_of("database", "pypi", distribution):
        yield "database", word


def _imported(tree: Tree, path: str, wanted: set[str] | None) -> list[str]:
    """Top names that a module imports; parsed only where the text looks as if one of them mattered."""
    text = tree.read(path)
    if len(text) > MOST_CHARACTERS:
        return []
    listed = (name for line in _PYTHON_IMPORT.findall(text) for name in "".join(line).split(","))
    rough = {name.split()[0].partition(".")[0] for name in listed if name.strip()}
    rough = {name for name in rough if (name in wanted if wanted is not None else any(_words_of_import(name)))}
    if not rough:
        return []
    names: list[str] = []
    for node in ast.walk(tree.python(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return [top for top in dict.fromkeys(name.partition(".")[0] for name in names) if top in rough]


def _swift(inventory: Inventory, packages: Packages) -> Iterator[Fact]:
    seen: set[str] = set()
    for path in islice(inventory.ending("swift"), MOST_SOURCES):
        package = packages.of(path)
        if package not in seen and _SWIFT_UI.search(inventory.tree.read(path)):
            seen.add(package)
            yield Fact("framework", "swiftui", f"`{one_line(path)}` imports SwiftUI", package)


def _notebooks(inventory: Inventory, packages: Packages) -> Iterator[Fact]:
    found = inventory.ending("ipynb")
    if len(found) >= LEAST_NOTEBOOKS:
        package = packages.of(found[0])
        yield Fact("framework", "jupyter", f"{len(found)} notebooks, `{one_line(found[0])}` first", package)
        yield Fact("project_type", "data", f"{len(found)} notebooks, `{one_line(found[0])}` first", package)


def _descriptions(inventory: Inventory, packages: Packages) -> Iterator[Fact]:
    """Descriptions of an API: OpenAPI documents, and schemas of GraphQL."""
    for path in islice(inventory.matching(_OPENAPI), MOST_SOURCES):
        content = inventory.tree.json(path) if path.endswith("json") else yaml_table(inventory.tree.read(path))
        if {"openapi", "swagger"} & content.keys() and "paths" in content:
            yield Fact("framework", "openapi", f"`{one_line(path)}` describes an API", packages.of(path))
    for path in islice(inventory.ending("graphqls", "graphql", "gql"), MOST_SOURCES):
        if re.search(r"^[ \t]*(extend[ \t]+)?(type|schema|interface)\b", inventory.tree.read(path), re.MULTILINE):
            yield Fact("framework", "graphql", f"`{one_line(path)}` is a schema", packages.of(path))
            return
