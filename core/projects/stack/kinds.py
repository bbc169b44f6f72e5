"""What kind of thing each package is: web, api, library, cli, mobile, data."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from core.projects.stack.dependencies import APPLICATIONS, CLIENTS_TOO, WINDOWS, Kind
from core.projects.stack.facts import Fact
from core.projects.stack.imports import MOST_CHARACTERS, MOST_SOURCES
from core.projects.stack.inventory import ASIDE, Inventory, Packages
from core.projects.stack.manifest import Manifest
from core.projects.tree import Tree
from core.sanitise import one_line

Value = TypeVar("Value")

_BUILT_TOGETHER = frozenset(("maven", "nuget", "cargo", "go", "swift"))
"""Ecosystems where a program is cut into modules that look like libraries: beside a program they are parts of it."""
_MADE_BY_PROGRAMS = frozenset(("maven", "nuget", "cargo", "go", "swift", "c"))
"""Ecosystems that say which package is a program; in the others an application is what is not on offer."""

_PAGES = (
    *(".html", ".htm", ".jinja", ".jinja2", ".j2", ".twig", ".blade.php", ".phtml", ".erb", ".haml", ".slim", ".ejs"),
    *(".pug", ".hbs", ".mustache", ".njk", ".tmpl", ".gohtml", ".cshtml", ".razor", ".ftl", ".ftlh", ".jsp", ".leaf"),
)
_PAGE_FOLDERS = re.compile(
    r"(^|/)(templates?|views|pages|components|jinja2?|layouts|WEB-INF|webapp)(/|$)", re.IGNORECASE
)
_PYTHON_SERVER = re.compile(
    r"^[ \t]*(?:\w+\s*(?::[^=\n]+)?=|return)\s*(?:\w+\.)?(Flask|FastAPI|Starlette|Quart|Application)\(", re.MULTILINE
)
_GRPC_SERVER = re.compile(r"\bgrpc\.(NewServer|server|aio\.server)\(")
_GO_SERVER = re.compile(r"\bhttp\.(ListenAndServe|Server\{)")
_SERVERS = frozenset(("Flask", "FastAPI", "Starlette", "Quart", "Application"))
_ENTRIES = (
    *("manage.py", "artisan", "bin/console", "config.ru", "config/application.rb", "public/index.php", "index.php"),
)
"""Files that only an application has at its top."""


@dataclass(frozen=True)
class Parts:
    """What is known before kinds are told: the files, the packages, their manifests and their frameworks."""

    inventory: Inventory
    packages: Packages
    manifests: Sequence[Manifest]
    frameworks: Sequence[Fact]

    @property
    def tree(self) -> Tree:
        return self.inventory.tree


def type_facts(parts: Parts) -> Iterator[Fact]:
    """The kinds of each package, with what shows them.

    A package that others can depend on is a library, and what it depends on does not make it anything else, unless it
    is plainly an application: it has a `manage.py`, builds its server object, or is a program.
    """
    pages, go_programs = _with_pages(parts), dict(_go_programs(parts))
    has_program = {m.ecosystem for m in parts.manifests if m.program} | ({"go"} if go_programs else set())
    servers, listening = dict(_python_servers(parts)), set(_http_servers(parts, go_programs))
    services = dict(_grpc_servers(parts)) if any(fact.word == "grpc" for fact in parts.frameworks) else {}
    manifests = _grouped(parts.manifests, lambda manifest: parts.packages.of(manifest.path))
    frameworks = _grouped(parts.frameworks, lambda fact: fact.package)
    for package in parts.packages:
        own, words = manifests.get(package, []), frameworks.get(package, [])
        shown = servers.get(package) or _own_entry(parts.inventory, package)
        program = go_programs.get(package, "")
        if _is_application(own, shown, program):
            serving = [fact for fact in words if fact.word not in CLIENTS_TOO or package in servers]
            yield from _application(package, serving, package in pages, _has_api_folder(parts, package))
            yield from _commands(package, own, serving, program, package in listening)
            if shown.endswith("index.php"):
                yield Fact("project_type", "web", f"`{one_line(shown)}` answers requests", package)
            if package in services:
                yield Fact("project_type", "api", f"`{one_line(services[package])}` starts a server of gRPC", package)
            libraries = [manifest for manifest in own if manifest.offered]
        else:
            libraries = [m for m in own if m.offered or (m.published and not _is_part(m, has_program))]
        if libraries:
            path = one_line(libraries[0].path)
            yield Fact("project_type", "library", f"`{path}` describes a package for others", package)


def _grouped(values: Iterable[Value], key: Callable[[Value], str]) -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = {}
    for value in values:
        found.setdefault(key(value), []).append(value)
    return found


def _is_part(manifest: Manifest, has_program: set[str]) -> bool:
    return manifest.ecosystem in _BUILT_TOGETHER and manifest.ecosystem in has_program


def _is_application(own: Sequence[Manifest], shown: str, program: str) -> bool:
    if shown or program or any(manifest.program for manifest in own if manifest.ecosystem in _MADE_BY_PROGRAMS):
        return True
    described = [manifest for manifest in own if manifest.ecosystem not in _MADE_BY_PROGRAMS]
    return bool(described) and not any(manifest.published for manifest in described)


def _application(package: str, words: Sequence[Fact], has_pages: bool, has_api: bool) -> Iterator[Fact]:
    names = {fact.word for fact in words}
    has_api = has_api or "django-rest-framework" in names
    for fact in words:
        kind = APPLICATIONS.get(fact.word)
        if kind and not (fact.word == "react" and names & {"react-native", "expo"}):
            for word in _kinds(kind, fact.word, has_pages, has_api):
                yield Fact("project_type", word, fact.evidence, package)


def _kinds(kind: Kind, word: str, has_pages: bool, has_api: bool) -> tuple[str, ...]:
    if kind == "pages":
        # Django has pages of its own to administer with, so without an interface it serves those.
        bare = "web" if word == "django" else "api"
        served = ("web",) if has_pages else ("api",) if has_api else (bare,)
        return (*served, "api") if has_api and "api" not in served else served
    if kind == "api" and has_pages and word != "django-rest-framework":
        return ("api", "web")
    return (kind,)


def _commands(
    package: str, own: Sequence[Manifest], words: Sequence[Fact], program: str, listens: bool
) -> Iterator[Fact]:
    """A program that neither serves nor has windows is a command; with cobra or clap it is one in any case."""
    names = {fact.word for fact in words}
    serves = any(APPLICATIONS.get(name) in ("api", "web", "pages", "mobile") for name in names)
    windows = any(d.name in WINDOWS.get(m.ecosystem, ()) for m in own for d in m.dependencies if d.counts)
    for manifest in own:
        reads_commands = not names.isdisjoint({"cobra", "clap"})
        if manifest.command and (reads_commands or not (serves or windows)):
            yield Fact("project_type", "cli", f"`{one_line(manifest.path)}` {one_line(manifest.command)}", package)
    if not program:
        return
    if "cobra" in names or not (serves or windows or listens):
        yield Fact("project_type", "cli", f"`{one_line(program)}` is a program", package)
    elif not serves and not windows:
        yield Fact("project_type", "api", f"`{one_line(program)}` is a program that listens for HTTP", package)


def _own_entry(inventory: Inventory, package: str) -> str:
    """A file that only an application has, at its top."""
    prefix = f"{package}/" if package else ""
    return next((prefix + name for name in _ENTRIES if inventory.tree.has(prefix + name)), "")


def _with_pages(parts: Parts) -> set[str]:
    """The packages that have templates of pages; those of tests and examples do not count."""
    found: set[str] = set()
    for path in parts.tree.paths:
        if path.endswith(_PAGES) and (package := parts.packages.of(path)) not in found:
            folders = path.rpartition("/")[0]
            names = [name for name in folders.split("/") if not _PAGE_FOLDERS.search(name)]
            if _PAGE_FOLDERS.search(folders) and not any(map(ASIDE.fullmatch, names)):
                found.add(package)
    return found


def _has_api_folder(parts: Parts, package: str) -> bool:
    prefix = f"{package}/" if package else ""
    return parts.tree.has(f"{prefix}routes/api.php") or parts.tree.has_folder(f"{prefix}app/controllers/api")


def _python_servers(parts: Parts) -> Iterator[tuple[str, str]]:
    """Packages that build a server object, and the module that does; a docstring that shows how is no such module."""
    seen: set[str] = set()
    for path in islice(parts.inventory.ending("py"), MOST_SOURCES):
        package = parts.packages.of(path)
        if package not in seen and _starts_server(parts.tree, path):
            seen.add(package)
            yield package, path


def _starts_server(tree: Tree, path: str) -> bool:
    """Whether a module builds a server's object; parsed only where the text looks like it."""
    text = tree.read(path)
    looks_like_it = len(text) <= MOST_CHARACTERS and _PYTHON_SERVER.search(text) is not None
    return looks_like_it and any(map(_builds_server, ast.walk(tree.python(path))))


def _builds_server(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in _SERVERS


def _go_programs(parts: Parts) -> Iterator[tuple[str, str]]:
    """Modules of Go that build a program, and the file that shows it: main.go first, the module's name before others.

    A program is `package main` at the module's top, below `cmd/`, or in a main.go.
    """
    modules = {manifest.folder: manifest.name for manifest in parts.manifests if manifest.ecosystem == "go"}
    sources = [path for path in parts.inventory.ending("go") if not path.endswith("_test.go")]
    likely = [path for path in sources if path.endswith("/main.go") or path == "main.go" or "cmd/" in path]
    likely += [path for path in sources if path.rpartition("/")[0] in modules]
    names = {name.rpartition("/")[2] for name in modules.values()}
    likely.sort(key=lambda path: _how_unlikely(path, names))
    seen: set[str] = set()
    for path in islice(dict.fromkeys(likely), MOST_SOURCES):
        package = parts.packages.of(path)
        if package in modules and package not in seen and _is_main(parts.tree.read(path)):
            seen.add(package)
            yield package, path


def _how_unlikely(path: str, names: set[str]) -> tuple[bool, bool, bool]:
    """Sorts the file of a module's main program before those of programs that serve its developers."""
    *folders, file = path.split("/")
    aside = any(re.match(r"gen|doc|tool|test|debug|lint|script|internal", folder) for folder in folders)
    return aside, file != "main.go", names.isdisjoint(folders)


def _is_main(text: str) -> bool:
    """Whether a source file is part of what is built: one under a tag only runs when asked for by hand."""
    found = re.search(r"^package main\b", text, re.MULTILINE)
    return found is not None and not re.search(r"^//go:build\s+(ignore|mage|tools|generate)", text, re.MULTILINE)


def _http_servers(parts: Parts, programs: Collection[str]) -> Iterator[str]:
    """The modules of Go, of those that are programs, that listen for HTTP with no framework's help."""
    sources = _grouped(parts.inventory.ending("go"), parts.packages.of) if programs else {}
    most = max(10, 10 * MOST_SOURCES // max(1, len(programs)))
    for package in programs:
        if any(_GO_SERVER.search(parts.tree.read(path)) for path in sources.get(package, [])[:most]):
            yield package


def _grpc_servers(parts: Parts) -> Iterator[tuple[str, str]]:
    """Packages that start a server of gRPC: depending on its library or describing a service, clients do as well."""
    sources = [*islice(parts.inventory.ending("go"), MOST_SOURCES), *islice(parts.inventory.ending("py"), MOST_SOURCES)]
    for path in sources:
        if not path.endswith("_test.go") and _GRPC_SERVER.search(parts.tree.read(path)):
            yield parts.packages.of(path), path
