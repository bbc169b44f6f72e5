"""C and C++: CMake, meson, autotools, Conan, vcpkg."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from core.projects.python_package import literal
from core.projects.stack.manifest import Dependency, Manifest
from core.projects.stack.tokens import CMAKE, MESON, Token, calls, quoted, tokens
from core.projects.tree import Tree, dig, items, texts

_LANGUAGES = {"c": "c", "cxx": "c++", "cpp": "c++", "objcxx": "c++", "swift": "swift"}
_WINDOWS = re.compile(r"(qt\d?|gtk.*|wxwidgets|sdl\d?|imgui|glfw\d?|fltk)", re.IGNORECASE)
"""Toolkits of windows: a program with one is no command."""


def read_cmake(tree: Tree, path: str) -> Manifest | None:
    """A CMakeLists.txt: languages where it calls `project()`, targets and packages wherever they stand.

    Names of targets that a macro makes are not known. A library is on offer when it is exported, or when the file
    builds nothing else.
    """
    found = [(name.lower(), arguments) for name, arguments in _commands(tokens(tree.read(path), CMAKE))]
    project = next((arguments for name, arguments in found if name == "project" and arguments), ())
    words = [token.text for token in project]
    declared = [_LANGUAGES[word.lower()] for word in words[1:] if word.lower() in _LANGUAGES]
    if words and not declared and not {"LANGUAGES", "NONE"} & set(words):
        declared = ["c", "c++"]
    wanted = [arguments[0].text for name, arguments in found if name == "find_package" and arguments]
    has_library = any(name == "add_library" and not _is_alias(arguments) for name, arguments in found)
    programs = [arguments[0].text for name, arguments in found if name == "add_executable" and arguments]
    exported = any(name in ("install", "export") and _exports(arguments) for name, arguments in found)
    if not words and not wanted and not has_library and not programs:
        return None
    offered = has_library and (exported or bool(words and not programs))
    return _manifest(path, words[0] if words else "", wanted, declared, offered, programs)


def _commands(found: Sequence[Token]) -> Iterable[tuple[str, Sequence[Token]]]:
    names = {token.text for token in found if token.kind == "word"}
    wanted = [name for name in names if name.lower() in _COMMANDS]
    return calls(found, *wanted)


_COMMANDS = frozenset(("project", "find_package", "add_library", "add_executable", "install", "export"))


def _exports(arguments: Sequence[Token]) -> bool:
    return any(token.text in ("EXPORT", "EXPORT_NAME") for token in arguments)


def _is_alias(arguments: Sequence[Token]) -> bool:
    return any(token.text in ("ALIAS", "IMPORTED") for token in arguments)


def read_meson(tree: Tree, path: str) -> Manifest | None:
    """The meson.build that calls `project()`."""
    found = tokens(tree.read(path), MESON)
    project = next((arguments for _, arguments in calls(found, "project")), None)
    named = quoted(project or ())
    if not named:
        return None
    declared = [_LANGUAGES[text] for text in named[1:] if text in _LANGUAGES]
    wanted = [quoted(arguments)[0] for _, arguments in calls(found, "dependency") if quoted(arguments)]
    makers = ("library", "shared_library", "static_library", "both_libraries")
    libraries = next(calls(found, *makers), None) is not None
    programs = [quoted(arguments)[0] for _, arguments in calls(found, "executable") if quoted(arguments)]
    return _manifest(path, named[0], wanted, declared, libraries, programs)


def _manifest(
    path: str,
    name: str,
    wanted: Iterable[str],
    languages: Iterable[str],
    libraries: bool,
    programs: Sequence[str],
) -> Manifest:
    dependencies = tuple(Dependency(name.lower()) for name in wanted)
    has_windows = any(_WINDOWS.fullmatch(dependency.name) for dependency in dependencies)
    shown = f" {programs[0]}" if programs and "$" not in programs[0] else ""
    command = f"builds the program{shown}" if programs and not has_windows else ""
    declared = tuple(dict.fromkeys(languages))
    return Manifest(path, "c", name.lower(), dependencies, declared, (), libraries, bool(programs), command, libraries)


def read_automake(tree: Tree, path: str) -> Manifest | None:
    """A Makefile.am: what it installs as programs and as libraries."""
    assigned = dict(re.findall(r"^(\w+)\s*\+?=[ \t]*(.*)$", tree.read(path), re.MULTILINE))
    programs, libraries = assigned.get("bin_PROGRAMS", "").split(), assigned.get("lib_LTLIBRARIES", "")
    if not programs and not libraries:
        return None
    command = f"installs the program {programs[0]}" if programs else ""
    return Manifest(
        path, "c", published=bool(libraries), program=bool(programs), command=command, offered=bool(libraries)
    )


def read_vcpkg(tree: Tree, path: str) -> Manifest | None:
    listed = items(tree.json(path).get("dependencies"))
    names = [entry if isinstance(entry, str) else dig(entry, "name") for entry in listed]
    return Manifest(path, "c", dependencies=tuple(Dependency(name.lower()) for name in texts(names)))


def read_conanfile(tree: Tree, path: str) -> Manifest | None:
    """`[requires]` of conanfile.txt; conanfile.py is a program, of which only literals are read."""
    if path.endswith(".py"):
        wanted = list(_literal_requirements(tree.python(path)))
    else:
        section = re.search(r"^\[requires\]\s*$(.*?)(?=^\[|\Z)", tree.read(path), re.MULTILINE | re.DOTALL)
        wanted = section[1].split() if section else []
    found = [Dependency(name.lower(), version) for name, _, version in (text.partition("/") for text in wanted)]
    return Manifest(path, "c", dependencies=tuple(found)) if found else None


def _literal_requirements(module: ast.Module) -> Iterator[str]:
    """`requires = "name/1.0", …` of the recipe's class, and `self.requires("name/1.0")`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "requires" for target in node.targets):
            yield from texts(literal(node.value))
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "requires" and node.args:
            yield from texts(literal(node.args[0]))
