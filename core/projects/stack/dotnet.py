"""C#: .csproj, Directory.Build.props, packages.config, packages.lock.json."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from core.projects.stack.formats import xml_root
from core.projects.stack.manifest import Dependency, Group, Manifest, Sign, cli, framework, mobile
from core.projects.tree import Tree, dig, table

_SDKS: dict[str, tuple[Sign, ...]] = {
    "microsoft.net.sdk.web": (framework("aspnet", "uses the SDK Microsoft.NET.Sdk.Web"),),
    "microsoft.net.sdk.blazorwebassembly": (framework("blazor", "uses the SDK Microsoft.NET.Sdk.BlazorWebAssembly"),),
    "microsoft.net.sdk.razor": (framework("aspnet", "uses the SDK Microsoft.NET.Sdk.Razor"),),
}
_MOBILE_TARGETS = ("-android", "-ios")
_TEST_PACKAGES = frozenset(("microsoft.net.test.sdk", "xunit", "nunit", "mstest.testframework", "mstest", "tunit"))


def read_csproj(tree: Tree, path: str) -> Manifest | None:
    """A project of the solution; None for one of tests, which says nothing about what is shipped."""
    root = xml_root(tree.read(path))
    if root is None or root.tag != "Project":
        return None
    dependencies = tuple(_references(root))
    if _value(root, "IsTestProject") == "true" or any(found.name in _TEST_PACKAGES for found in dependencies):
        return None
    sdk = root.get("Sdk", "").partition("/")[0].lower()
    signs = [*_SDKS.get(sdk, ()), *_signs(root)]
    executable = _value(root, "OutputType") in ("exe", "winexe")
    server = sdk in ("microsoft.net.sdk.web", "microsoft.net.sdk.blazorwebassembly")
    if _value(root, "PackAsTool") == "true":
        signs.append(cli("is packed as a tool"))
    command = "builds a console program" if _value(root, "OutputType") == "exe" and not server else ""
    name = path.rpartition("/")[2].removesuffix(".csproj").lower()
    program = executable or server
    packable = _value(root, "IsPackable") != "false" and not program
    offered = packable and any(_value(root, key) for key in ("PackageId", "GeneratePackageOnBuild"))
    return Manifest(path, "nuget", name, dependencies, ("c#",), tuple(signs), packable, program, command, offered)


def read_props(tree: Tree, path: str) -> Manifest | None:
    """Directory.Build.props: references that every project below it has."""
    root = xml_root(tree.read(path))
    dependencies = tuple(_references(root)) if root is not None else ()
    return Manifest(path, "nuget", dependencies=dependencies) if dependencies else None


def read_packages_config(tree: Tree, path: str) -> Manifest | None:
    root = xml_root(tree.read(path))
    entries = root.findall("package") if root is not None else []
    found = [
        Dependency(entry.get("id", "").lower(), entry.get("version", ""), _group(entry.get("developmentDependency")))
        for entry in entries
    ]
    return Manifest(path, "nuget", dependencies=tuple(found)) if found else None


def read_packages_lock(tree: Tree, path: str) -> Manifest | None:
    """What a packages.lock.json calls direct."""
    found = [
        Dependency(name.lower(), str(entry.get("resolved", "")))
        for packages in table(dig(tree.json(path), "dependencies")).values()
        for name, entry in table(packages).items()
        if isinstance(entry, dict) and entry.get("type") == "Direct"
    ]
    return Manifest(path, "nuget", dependencies=tuple(found), languages=("c#",)) if found else None


def _group(development: str | None) -> Group:
    return "dev" if development == "true" else "main"


def _references(root: Element) -> Iterator[Dependency]:
    for entry in root.iter("PackageReference"):
        name = (entry.get("Include") or "").lower()
        wanted = entry.get("Version") or (entry.findtext("Version") or "").strip()
        private = (entry.get("PrivateAssets") or entry.findtext("PrivateAssets") or "").lower() == "all"
        if name:
            yield Dependency(name, "" if "$" in wanted else wanted, "dev" if private else "main")
    for entry in root.iter("FrameworkReference"):
        yield Dependency((entry.get("Include") or "").lower())


def _signs(root: Element) -> Iterator[Sign]:
    targets = _value(root, "TargetFrameworks") or _value(root, "TargetFramework")
    if _value(root, "UseMaui") == "true":
        yield framework("maui", "sets UseMaui")
    if any(target in targets for target in _MOBILE_TARGETS):
        yield mobile(f"targets {targets}")


def _value(root: Element, name: str) -> str:
    """A property, lower-case; the last one that is set wins."""
    values = [(entry.text or "").strip().lower() for entry in root.iter(name)]
    return values[-1] if values else ""
