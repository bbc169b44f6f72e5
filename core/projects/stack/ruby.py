"""Ruby: Gemfile, gemspecs, Gemfile.lock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.projects.stack.manifest import Dependency, Group, Manifest, Sign, cli
from core.projects.stack.tokens import RUBY, Token, is_mark, lines, quoted, tokens
from core.projects.tree import Tree

_FOR_DEVELOPERS = re.compile(r":?(dev|test|lint|doc|ci|debug|rubocop|cucumber|bench)\w*:?")
_OPENERS = frozenset(("do", "if", "unless", "case", "begin", "def", "while"))
_ADDED: dict[str, Group] = {
    "add_dependency": "main",
    "add_runtime_dependency": "main",
    "add_development_dependency": "dev",
}


def read_gemfile(tree: Tree, path: str) -> Manifest | None:
    """Gems outside of the groups for developers. Blocks are followed, conditions are taken as met.

    A Gemfile that takes a gem's own dependencies in (`gemspec`) is for those who develop the gem.
    """
    source = tokens(tree.read(path), RUBY)
    found = tuple(_gems(source))
    if any(line[0].kind == "word" and line[0].text == "gemspec" for line in lines(source)):
        found = tuple(replace(dependency, group="dev") for dependency in found)
    return Manifest(path, "gem", dependencies=found, languages=("ruby",)) if found else None


def _gems(found: Sequence[Token]) -> Iterator[Dependency]:
    groups: list[bool] = []
    aside = 0
    for line in lines(found):
        words = [token.text for token in line if token.kind == "word"]
        first = words[0] if line[0].kind == "word" else ""
        if first == "end" and groups:
            aside -= groups.pop()
        elif first == "gem" and (texts := quoted(line)):
            is_aside = aside > 0 or _names_developers(line)
            wanted = texts[1] if len(texts) > 1 and re.match(r"[~<>=! ]*\d", texts[1]) else ""
            yield Dependency(texts[0], wanted, "dev" if is_aside else "main")
        if "do" in words or (first in _OPENERS and first != "gem"):
            groups.append(first == "group" and any(_FOR_DEVELOPERS.fullmatch(word) for word in words[1:]))
            aside += groups[-1]


def _names_developers(line: Sequence[Token]) -> bool:
    """`group: :test` or `groups: [:development, :test]` behind a gem."""
    place = next((n for n, token in enumerate(line) if token.text in ("group:", "groups:", ":group", ":groups")), None)
    return place is not None and any(_FOR_DEVELOPERS.fullmatch(token.text) for token in line[place + 1 :])


def read_gemspec(tree: Tree, path: str) -> Manifest | None:
    """A gem: a library, and a command where it installs executables."""
    found = tokens(tree.read(path), RUBY)
    dependencies = []
    name, commands = "", False
    for line in lines(found):
        words = [token.text for token in line if token.kind == "word"]
        texts = quoted(line)
        method = next((word for word in words if word in _ADDED), None)
        if method and texts:
            dependencies.append(Dependency(texts[0], texts[1] if len(texts) > 1 else "", _ADDED[method]))
        elif "name" in words[:2] and texts and any(is_mark(token, "=") for token in line) and not name:
            name = texts[0]
        elif "executables" in words and any(is_mark(token, "=") for token in line):
            commands = True
    signs: tuple[Sign, ...] = (cli("installs executables"),) if commands else ()
    return Manifest(path, "gem", name, tuple(dependencies), ("ruby",), signs, True, commands)


def read_gemfile_lock(tree: Tree, path: str) -> Manifest | None:
    """The section DEPENDENCIES of a lock names what the Gemfile asks for, its groups forgotten."""
    _, _, rest = tree.read(path).partition("\nDEPENDENCIES\n")
    names = re.findall(r"^  ([\w.-]+)", rest.partition("\n\n")[0], re.MULTILINE)
    found = tuple(Dependency(name) for name in names)
    return Manifest(path, "gem", dependencies=found, languages=("ruby",)) if found else None
