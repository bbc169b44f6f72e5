"""JavaScript and TypeScript: package.json, deno.json, and the locks that tell direct dependencies."""

from __future__ import annotations

from collections.abc import Iterator

from core.contract import Json
from core.projects.stack.formats import json_with_comments, yaml_table
from core.projects.stack.manifest import Dependency, Group, Manifest, Sign, cli
from core.projects.tree import Tree, dig, table, texts

_BUILD_TOOLS = frozenset(
    (
        *("typescript", "vite", "svelte", "@sveltejs/kit", "electron", "electron-builder", "@electron-forge/cli"),
        *("tailwindcss", "@tailwindcss/vite", "@tailwindcss/postcss", "storybook", "prisma", "drizzle-kit"),
    )
)
"""What stands among the development dependencies of every project that is made with it."""
_BUNDLED = frozenset(
    (
        *("react", "react-dom", "preact", "vue", "next", "nuxt", "@angular/core", "react-native", "expo"),
        *("@ionic/angular", "@ionic/react", "@ionic/vue", "solid-js"),
    )
)
"""What a bundler copies into what is shipped, so an application may call it a development dependency."""
_UNPUBLISHED = (None, "", "0.0.0")
"""Versions of packages that stay in their workspace."""
_DOCUMENTS = frozenset(("@docusaurus/core", "vitepress", "vuepress", "nextra", "@astrojs/starlight", "@11ty/eleventy"))
"""What makes a package a site of documents, which is beside the product."""
_ENTRIES = ("main", "module", "exports", "types", "typings", "browser", "svelte")


def read_package_json(tree: Tree, path: str) -> Manifest | None:
    """The groups follow npm's habits, which are not its names: see `_BUILD_TOOLS` and `_BUNDLED`.

    A workspace's root only holds tools for developers in its development dependencies. A site of documents is none.
    """
    content = tree.json(path)
    if not content:
        return None
    if not _DOCUMENTS.isdisjoint(
        key for part in ("dependencies", "devDependencies") for key in table(content.get(part))
    ):
        return None
    own_name = content.get("name") if isinstance(content.get("name"), str) else ""
    published = bool(own_name) and content.get("version") not in _UNPUBLISHED and content.get("private") is not True
    dependencies = tuple(_dependencies(content, published))
    runs = any(key in content for key in _ENTRIES) or any(dependency.counts for dependency in dependencies)
    typed = any(dependency.name == "typescript" for dependency in dependencies)
    folder = path.rpartition("/")[0]
    # Without an entry npm takes index.js.
    entered = any(content.get(key) for key in _ENTRIES) or tree.has(f"{folder}/index.js" if folder else "index.js")
    return Manifest(
        path,
        "npm",
        str(own_name),
        dependencies,
        ("typescript",) if typed else ("javascript",) if runs else (),
        tuple(_signs(content)),
        published and entered,
        bool(content.get("bin")),
    )


def _dependencies(content: Json, published: bool) -> Iterator[Dependency]:
    optional = {name for name, meta in table(content.get("peerDependenciesMeta")).items() if dig(meta, "optional")}
    for name, wanted in table(content.get("dependencies")).items():
        yield Dependency(name, _range(wanted))
    for name, wanted in table(content.get("peerDependencies")).items():
        yield Dependency(name, _range(wanted), "optional" if name in optional else "main")
    for name, wanted in table(content.get("optionalDependencies")).items():
        yield Dependency(name, _range(wanted), "optional")
    bundles = not published and "workspaces" not in content
    for name, wanted in table(content.get("devDependencies")).items():
        shipped = name in _BUILD_TOOLS or name.startswith("@storybook/") or (bundles and name in _BUNDLED)
        yield Dependency(name, _range(wanted), "build" if shipped else "dev")


def _range(wanted: object) -> str:
    """A version or range; what names a place in the workspace instead is left out."""
    return wanted if isinstance(wanted, str) and ":" not in wanted and wanted not in ("*", "latest") else ""


def _signs(content: Json) -> Iterator[Sign]:
    commands = content.get("bin")
    if isinstance(commands, str):
        yield cli(f"declares the command {str(content.get('name', '')).rpartition('/')[2]}")
    elif isinstance(commands, dict) and commands:
        yield cli(f"declares the command{'s' if len(commands) > 1 else ''} {', '.join(list(commands)[:3])}")


def read_deno_json(tree: Tree, path: str) -> Manifest | None:
    content = json_with_comments(tree.read(path))
    names = [value.removeprefix("npm:") for value in texts(list(table(content.get("imports")).values()))]
    versioned = [name[:1] + name[1:].partition("@")[0] for name in names if ":" not in name]
    dependencies = tuple(Dependency(name.partition("/")[0] if name[:1] != "@" else name) for name in versioned)
    name = content.get("name")
    return Manifest(path, "npm", name if isinstance(name, str) else "", dependencies, ("typescript", "javascript"))


def read_package_lock(tree: Tree, path: str) -> Manifest | None:
    """The direct dependencies that a package-lock.json repeats from its package.json."""
    root = dig(tree.json(path), "packages", "")
    return Manifest(path, "npm", dependencies=tuple(_dependencies(table(root), False)), languages=("javascript",))


def read_pnpm_lock(tree: Tree, path: str) -> Manifest | None:
    importers = table(yaml_table(tree.read(path)).get("importers"))
    root = table(importers.get("."))
    groups: tuple[tuple[str, Group], ...] = (("dependencies", "main"), ("devDependencies", "dev"))
    found = [Dependency(name, "", group) for key, group in groups for name in table(root.get(key))]
    return Manifest(path, "npm", dependencies=tuple(found), languages=("javascript",)) if found else None


def read_tsconfig(tree: Tree, path: str) -> Manifest | None:
    """A compiler's settings declare the language and nothing else."""
    content = json_with_comments(tree.read(path))
    return Manifest(path, "npm", languages=("typescript",)) if content else None
