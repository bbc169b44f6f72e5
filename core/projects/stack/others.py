"""Dart, Elixir, Scala and dbt: pubspec.yaml, mix.exs, build.sbt, dbt_project.yml."""

from __future__ import annotations

from core.projects.stack.formats import yaml_table
from core.projects.stack.manifest import Dependency, Group, Manifest, Sign, cli, framework, mobile
from core.projects.stack.tokens import ELIXIR, SCALA, quoted, spans, tokens
from core.projects.tree import Tree, dig, table


def read_pubspec(tree: Tree, path: str) -> Manifest | None:
    content = yaml_table(tree.read(path))
    if not content:
        return None
    required = table(content.get("dependencies"))
    dependencies = tuple(Dependency(name, _range(wanted)) for name, wanted in required.items())
    folder = path.rpartition("/")[0]
    started = tree.has(f"{folder}/lib/main.dart" if folder else "lib/main.dart")
    is_application = "flutter" in required and started
    commands = table(content.get("executables"))
    signs: list[Sign] = [mobile("is a Flutter application")] if is_application else []
    if commands:
        signs.append(cli(f"declares the command {next(iter(commands))}"))
    published = content.get("publish_to") != "none" and not is_application
    name = content.get("name")
    own = name if isinstance(name, str) else ""
    return Manifest(path, "pub", own, dependencies, ("dart",), tuple(signs), published, is_application)


def read_mix(tree: Tree, path: str) -> Manifest | None:
    """The tuples `{:name, ...}` of mix.exs; those with `only:` are for developers."""
    found = tokens(tree.read(path), ELIXIR)
    dependencies = []
    for start, end in spans(found, "{", "}").items():
        entry = found[start + 1 : end]
        if entry and entry[0].text.startswith(":"):
            versions = quoted(entry)
            group: Group = "dev" if any(part.text == "only:" for part in entry) else "main"
            dependencies.append(Dependency(entry[0].text[1:], versions[0] if versions else "", group))
    phoenix = any(dependency.name == "phoenix" and dependency.counts for dependency in dependencies)
    is_package = any(token.text in ("package:", "package") for token in found)
    signs = (Sign("project_type", "web", "depends on phoenix"),) if phoenix and not is_package else ()
    return Manifest(path, "hex", "", tuple(dependencies), ("elixir",), signs, is_package, not is_package)


def read_sbt(tree: Tree, path: str) -> Manifest | None:
    """`"group" %% "artifact" % "version"`, the last word telling tests."""
    found = tokens(tree.read(path), SCALA)
    dependencies = []
    for place in range(len(found) - 4):
        group, arrow, artifact, percent, version = found[place : place + 5]
        if arrow.text in ("%", "%%", "%%%") and percent.text == "%" and group.kind == artifact.kind == "text":
            ahead = found[place + 5 : place + 7]
            tests = any(token.text.lower() == "test" for token in ahead)
            wanted = version.text if version.kind == "text" else ""
            dependencies.append(Dependency(f"{group.text}:{artifact.text}", wanted, "dev" if tests else "main"))
    return Manifest(path, "scala", "", tuple(dependencies), ("scala",)) if found else None


def read_dbt(tree: Tree, path: str) -> Manifest | None:
    content = yaml_table(tree.read(path))
    if "name" not in content:
        return None
    signs = (framework("dbt", "is a dbt project"), Sign("project_type", "data", "is a dbt project"))
    return Manifest(path, "dbt", "", (), ("sql",), signs)


def _range(wanted: object) -> str:
    version = wanted if isinstance(wanted, str) else dig(wanted, "version")
    return version if isinstance(version, str) and version != "any" else ""
