"""Swift: Package.swift and Podfile."""

from __future__ import annotations

import re

from core.projects.stack.manifest import Dependency, Manifest
from core.projects.stack.tokens import SWIFT, argument, calls, tokens
from core.projects.tree import Tree

_REPOSITORY = re.compile(r"(?:https?://|git@|ssh://)[^/:]+[/:](?:\d+/)?([^/]+/[^/]+?)(?:\.git)?/?$")


def read_package_swift(tree: Tree, path: str) -> Manifest | None:
    """The package's dependencies by owner and name of their repositories, its products by their kind."""
    found = tokens(tree.read(path), SWIFT)
    dependencies = []
    for _, arguments in calls(found, "package"):
        place, wanted = argument(arguments, "url"), argument(arguments, "from") or argument(arguments, "exact")
        if place and (match := _REPOSITORY.match(place)):
            dependencies.append(Dependency(match[1].lower(), wanted or ""))
    libraries = [argument(arguments, "name") for _, arguments in calls(found, "library")]
    programs = [argument(arguments, "name") for _, arguments in calls(found, "executable", "executableTarget")]
    name = next((argument(arguments, "name") for _, arguments in calls(found, "Package")), None)
    command = f"builds the program {programs[0] or ''}".rstrip() if programs else ""
    own = (name or "").lower()
    offered = bool(libraries)
    return Manifest(path, "swift", own, tuple(dependencies), ("swift",), (), offered, bool(programs), command, offered)
