"""Java and Kotlin under Maven: pom.xml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from core.projects.stack.formats import text_of, xml_root
from core.projects.stack.manifest import Dependency, Group, Manifest
from core.projects.tree import Tree

MOST_OF_A_VALUE = 200
"""Characters of a coordinate or property: one that names another a thousand times grows a thousandfold."""
_DEVELOPERS = frozenset(("test", "import"))
_PROGRAM_PLUGINS = frozenset(("spring-boot-maven-plugin", "quarkus-maven-plugin", "micronaut-maven-plugin"))


def read_pom(tree: Tree, path: str) -> Manifest | None:
    """A module. What stands under dependencyManagement is a choice of versions, not a dependency.

    The parent counts: Spring Boot's is how most applications on it begin.
    """
    root = xml_root(tree.read(path))
    if root is None or root.tag != "project":
        return None
    properties = {child.tag: (child.text or "").strip() for child in root.findall("properties/*")}
    parent = f"{text_of(root, 'parent', 'groupId')}:{text_of(root, 'parent', 'artifactId')}"
    group = text_of(root, "groupId") or text_of(root, "parent", "groupId")
    plugins = {text_of(plugin, "artifactId") for plugin in root.iter("plugin")}
    packaging = text_of(root, "packaging") or "jar"
    program = not plugins.isdisjoint(_PROGRAM_PLUGINS) or packaging == "war" or _has_main_class(root)
    languages = ("java", *(("kotlin",) if "kotlin-maven-plugin" in plugins else ()))
    dependencies = [*_dependencies(root, properties)]
    if parent != ":":
        dependencies.append(Dependency(parent, _resolved(text_of(root, "parent", "version"), properties)))
    name = f"{group}:{text_of(root, 'artifactId')}"
    command = "names a main class of its jar" if _has_main_class(root) and packaging == "jar" else ""
    published = packaging in ("jar", "bundle") and not program
    offered = published and (_is_offered(root) or _is_offered(xml_root(tree.read("pom.xml"))))
    return Manifest(path, "maven", name, tuple(dependencies), languages, (), published, program, command, offered)


def _is_offered(root: Element | None) -> bool:
    """What the public repositories ask of a module, at its own or at the top: a licence and where its source is."""
    return root is not None and root.find("licenses") is not None and root.find("scm") is not None


def _has_main_class(root: Element) -> bool:
    """A jar that is started names its main class to the plugin that packs it."""
    packing = ("maven-jar-plugin", "maven-assembly-plugin", "maven-shade-plugin", "exec-maven-plugin")
    return any(
        next(plugin.iter("mainClass"), None) is not None
        for plugin in root.findall("build/plugins/plugin")
        if text_of(plugin, "artifactId") in packing
    )


def _dependencies(root: Element, properties: dict[str, str]) -> Iterator[Dependency]:
    for entry in root.findall("dependencies/dependency"):
        scope = text_of(entry, "scope")
        group: Group = "dev" if scope in _DEVELOPERS else "optional" if text_of(entry, "optional") == "true" else "main"
        name = f"{text_of(entry, 'groupId')}:{text_of(entry, 'artifactId')}"
        yield Dependency(_resolved(name, properties), _resolved(text_of(entry, "version"), properties), group)


def _resolved(text: str, properties: dict[str, str]) -> str:
    """`${name}` replaced by the property of this file; nothing where it comes from elsewhere."""
    named = r"\$\{([\w.-]+)\}"
    filled = re.sub(named, lambda match: properties.get(match[1], match[0])[:MOST_OF_A_VALUE], text[:MOST_OF_A_VALUE])
    return "" if filled.startswith("${") else filled
