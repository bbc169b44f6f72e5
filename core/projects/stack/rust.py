"""Rust: Cargo.toml."""

from __future__ import annotations

from collections.abc import Iterator

from core.contract import Json
from core.projects.stack.manifest import Dependency, Group, Manifest, Sign
from core.projects.tree import Tree, dig, items, table, texts

_SQL_FEATURES = {"postgres": "postgresql", "mysql": "mysql", "sqlite": "sqlite", "mssql": "sqlserver"}
_SQL_LIBRARIES = frozenset(("sqlx", "diesel", "diesel-async", "sea-orm", "r2d2-diesel"))


def read_cargo_toml(tree: Tree, path: str) -> Manifest | None:
    """A crate. The root of a workspace without a package of its own says nothing about dependencies."""
    content = tree.toml(path)
    package = table(content.get("package"))
    dependencies = tuple(_dependencies(content))
    if not package and not dependencies:
        return None
    name = str(package.get("name") or "")
    folder = path.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    program = tree.has(f"{prefix}src/main.rs") or bool(items(content.get("bin"))) or _has_bin_folder(tree, prefix)
    library = tree.has(f"{prefix}src/lib.rs") or "lib" in content
    published = library and package.get("publish") not in (False, []) and not _is_macro(content)
    # The public registry takes no crate without these.
    offered = published and "description" in package and not {"license", "license-file"}.isdisjoint(package)
    command = f"builds the program {name}".rstrip() if program else ""
    signs = tuple(_databases(content))
    return Manifest(path, "cargo", name, dependencies, ("rust",), signs, published, program, command, offered)


def _has_bin_folder(tree: Tree, prefix: str) -> bool:
    return tree.has_folder(f"{prefix}src/bin")


def _is_macro(content: Json) -> bool:
    return bool(dig(content, "lib", "proc-macro"))


def _tables(content: Json) -> Iterator[tuple[str, object, Group]]:
    groups: tuple[tuple[str, Group], ...] = (
        ("dependencies", "main"),
        ("dev-dependencies", "dev"),
        ("build-dependencies", "dev"),
    )
    for part in (content, *table(content.get("target")).values()):
        for key, group in groups:
            for name, value in table(dig(part, key)).items():
                yield name, value, group


def _dependencies(content: Json) -> Iterator[Dependency]:
    """A dependency that is optional counts where the default features switch it on."""
    on = _default_features(table(content.get("features")))
    for name, value, group in _tables(content):
        renamed = dig(value, "package")
        wanted = value if isinstance(value, str) else dig(value, "version")
        off = group == "main" and dig(value, "optional") is True and name not in on
        real = renamed if isinstance(renamed, str) else name
        yield Dependency(
            real, wanted if isinstance(wanted, str) and wanted != "*" else "", "optional" if off else group
        )


def _default_features(features: Json) -> set[str]:
    found: set[str] = set()
    waiting = ["default"]
    while waiting:
        for feature in texts(features.get(waiting.pop())):
            name = feature.removeprefix("dep:").partition("/")[0]
            if name not in found and not name.endswith("?"):
                found.add(name)
                waiting.append(name)
    return found


def _databases(content: Json) -> Iterator[Sign]:
    """Libraries for several databases name theirs among their features."""
    for name, value, group in _tables(content):
        if name in _SQL_LIBRARIES and group == "main":
            for feature in texts(dig(value, "features")):
                key = feature.removeprefix("sqlx-").partition("-")[0].partition("_")[0]
                if key in _SQL_FEATURES:
                    yield Sign("database", _SQL_FEATURES[key], f"depends on {name} with the feature {feature}")
