"""PHP: composer.json."""

from __future__ import annotations

from core.projects.stack.manifest import Dependency, Manifest, Sign, cli
from core.projects.tree import Tree, table, texts


def read_composer_json(tree: Tree, path: str) -> Manifest | None:
    content = tree.json(path)
    if not content:
        return None
    required = table(content.get("require"))
    developing = table(content.get("require-dev"))
    dependencies = (
        *(Dependency(name.lower(), _range(wanted)) for name, wanted in required.items()),
        *(Dependency(name.lower(), _range(wanted), "dev") for name, wanted in developing.items()),
    )
    name = content.get("name") if isinstance(content.get("name"), str) else ""
    kind = content.get("type") or "library"
    # A package on offer says what it is under `autoload`; a project that only lists dependencies offers nothing.
    library = bool(name) and kind in ("library", "symfony-bundle", "composer-plugin") and "autoload" in content
    commands = texts(content.get("bin"))
    signs: tuple[Sign, ...] = ()
    if commands and kind != "project":
        signs = (cli(f"declares the command {commands[0].rpartition('/')[2]}"),)
    own = str(name).lower()
    return Manifest(path, "composer", own, dependencies, ("php",), signs, library, bool(commands))


def _range(wanted: object) -> str:
    return wanted if isinstance(wanted, str) and wanted != "*" else ""
