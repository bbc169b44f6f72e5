"""Go: go.mod."""

from __future__ import annotations

import re

from core.projects.stack.manifest import Dependency, Group, Manifest
from core.projects.tree import Tree

_MAJOR = re.compile(r"/v\d+$|\.v\d+$")
_REQUIRE = re.compile(r"(?:require\s+)?(\S+)\s+(v\S+)(?:\s+//\s*(indirect)\b)?.*")


def read_go_mod(tree: Tree, path: str) -> Manifest | None:
    """The modules that go.mod requires itself; those marked indirect are the requirements of others.

    Whether a module is a library or a program is told by its files, not here.
    """
    name, dependencies, inside = "", [], ""
    for line in tree.read(path).splitlines():
        text = line.strip()
        opened = re.fullmatch(r"(\w+)\s*\(\s*(?://.*)?", text)
        if opened:
            inside = opened[1]
        elif text.startswith(")"):
            inside = ""
        elif text.startswith("module "):
            name = text.removeprefix("module ").partition("//")[0].strip().strip('"`')
        elif (inside == "require" or text.startswith("require ")) and (found := _REQUIRE.fullmatch(text)):
            group: Group = "optional" if found[3] else "main"
            dependencies.append(Dependency(_MAJOR.sub("", found[1].strip('"')).lower(), found[2], group))
    own = _MAJOR.sub("", name).lower()
    return Manifest(path, "go", own, tuple(dependencies), ("go",), published="." in own.partition("/")[0])
