"""A Python project's packaging, its import package, and the file that its version lives in."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from core.contract import Json
from core.projects.tree import Tree, dig, items, table, texts

VERSION_MODULES = ("__init__.py", "__about__.py", "__version__.py", "_version.py", "version.py")
"""Where a package states its version."""
VERSION_NAMES = ("__version__", "VERSION")

_NOT_THE_PACKAGE = re.compile(
    r"(tests?|testing|docs?|examples?|samples?|demos?|scripts?|tools?|bench(marks?)?|perf|ci|build|dist|tasks|setup"
    r"|conftest|noxfile|fabfile|manage|versioneer|.*_tests?|test_.*)",
    re.IGNORECASE,
)
_VCS_TOOLS = re.compile(
    r"(setuptools[-_]scm|hatch[-_]vcs|setuptools[-_]git[-_]versioning|versioneer|versioningit|pbr|dunamai"
    r"|poetry[-_]dynamic[-_]versioning|uv[-_]dynamic[-_]versioning|flit[-_]scm)",
    re.IGNORECASE,
)
"""Build requirements that take the version from tags."""
VCS: Json = {"path": None, "kind": "vcs"}


@dataclass(frozen=True, slots=True)
class Package:
    """The import package. `name` is dotted for one inside a namespace; `root` is the folder that holds it ("" for
    the top), `place` the package's folder or its one file."""

    name: str
    root: str
    place: str


@dataclass(frozen=True, slots=True)
class Manifests:
    """A Python project's three manifests. `call` holds the arguments of `setup()` in setup.py."""

    pyproject: Json
    cfg: dict[str, dict[str, str]]
    call: dict[str, ast.expr]

    def tool(self, *names: str) -> Any:
        """A value below `[tool]`; None when it is not there."""
        return dig(self.pyproject, "tool", *names)


def manifests(tree: Tree) -> Manifests:
    return Manifests(tree.toml("pyproject.toml"), tree.ini("setup.cfg"), _setup_call(tree.python("setup.py")))


def packaging_of(tree: Tree, found: Manifests) -> str | None:
    """The manifest that describes the project: `pyproject`, `setup.cfg`, `setup.py`, or None."""
    if found.pyproject.get("project") or found.tool("poetry", "name") or found.tool("flit", "metadata"):
        return "pyproject"
    if dig(found.cfg, "metadata", "name"):
        return "setup.cfg"
    if tree.has("setup.py"):
        return "setup.py"
    return "pyproject" if found.pyproject.get("build-system") else None


def package_of(tree: Tree, found: Manifests) -> Package | None:
    """The package that a user of the project imports: one that a manifest names, or that fits the project's name.

    Of several the largest, as of all where none fits; a single module only when it is the only one.
    """
    packages = [package for root in _roots(found) for package in _packages_below(tree, root)]
    likely = [package for package in packages if not _is_beside_the_point(package)]
    folders = [package for package in likely if not package.place.endswith(".py")]
    named = _named_packages(found)
    squashed = {_squashed(name) for name in _project_names(found)}
    choices = (
        [package for package in packages if package.name in named],
        [package for package in packages if _squashed(package.name) in squashed],
        [package for package in likely if any(_resembles(_squashed(package.name), name) for name in squashed)],
        folders,
        likely if len(likely) == 1 else [],
    )
    best = next((choice for choice in choices if choice), [])
    return max(
        best, key=lambda package: (package.name[0] != "_", sum(1 for _ in tree.below(package.place))), default=None
    )


def _is_beside_the_point(package: Package) -> bool:
    return any(map(_NOT_THE_PACKAGE.fullmatch, package.name.split(".")))


def _resembles(package: str, project: str) -> bool:
    """`yaml` and `pyyaml`; names of one or two letters are found in too many others."""
    return len(min(package, project, key=len)) > 2 and (package in project or project in package)


def version_place(tree: Tree, found: Manifests, package: Package | None) -> Json | None:
    """`{"path", "kind"}` of the file that states the version; kind `vcs` when tags do; None when nothing does."""
    finders: tuple[Callable[[Tree, Manifests, Package | None], Json | None], ...] = (
        _in_pyproject,
        _in_backend,
        _in_setup_cfg,
        _in_setup_py,
        _from_tags,
        _in_package,
        _in_version_file,
    )
    return next((place for find in finders if (place := find(tree, found, package))), None)


def _in_pyproject(tree: Tree, found: Manifests, package: Package | None) -> Json | None:
    if isinstance(dig(found.pyproject, "project", "version"), str):
        return {"path": "pyproject.toml", "kind": "pyproject"}
    if found.tool("poetry", "version") and not found.tool("poetry-dynamic-versioning", "enable"):
        return {"path": "pyproject.toml", "kind": "poetry"}
    return None


def _in_backend(tree: Tree, found: Manifests, package: Package | None) -> Json | None:
    """Where the build backend is told to look for a dynamic version."""
    attribute = found.tool("setuptools", "dynamic", "version", "attr")
    if isinstance(attribute, str):
        return _attribute(tree, found, attribute)
    for path in texts(found.tool("setuptools", "dynamic", "version", "file")):
        if tree.has(path):
            return {"path": path, "kind": "VERSION"}
    if found.tool("hatch", "version", "source") == "vcs" or found.tool("pdm", "version", "source") == "scm":
        return VCS
    for path in (found.tool("hatch", "version", "path"), found.tool("pdm", "version", "path")):
        if isinstance(path, str) and states_version(tree, path):
            return {"path": path, "kind": "dunder"}
    if "maturin" in str(dig(found.pyproject, "build-system", "build-backend")) and tree.has("Cargo.toml"):
        return {"path": "Cargo.toml", "kind": "cargo"}
    return None


def _in_setup_cfg(tree: Tree, found: Manifests, package: Package | None) -> Json | None:
    value = (dig(found.cfg, "metadata", "version") or "").strip()
    how, _, where = (part.strip() for part in value.partition(":"))
    if how == "attr":
        return _attribute(tree, found, where)
    if how == "file":
        path = tree.first(*(name.strip() for name in where.split(",")))
        return {"path": path, "kind": "VERSION"} if path else None
    return {"path": "setup.cfg", "kind": "setup.cfg"} if value else None


def _in_setup_py(tree: Tree, found: Manifests, package: Package | None) -> Json | None:
    value = found.call.get("version")
    constants = _constants(tree.python("setup.py"))
    literal = isinstance(value, ast.Constant) and isinstance(value.value, str)
    if literal or (isinstance(value, ast.Name) and value.id in constants):
        return {"path": "setup.py", "kind": "setup.py"}
    return None


def _from_tags(tree: Tree, found: Manifests, package: Package | None) -> Json | None:
    """The version comes from tags when a tool that does so is set up, and no file was told to hold it."""
    requires = texts(dig(found.pyproject, "build-system", "requires"))
    arguments = [ast.unparse(found.call[name]) for name in ("version", "setup_requires") if name in found.call]
    asked = any(_VCS_TOOLS.search(text) for text in (*requires, *arguments))
    configured = any(_VCS_TOOLS.fullmatch(name) for name in (*table(found.tool()), *found.cfg))
    return VCS if asked or configured or "use_scm_version" in found.call else None


def _in_package(tree: Tree, found: Manifests, package: Package | None) -> Json | None:
    path = _version_module(tree, package.place) if package else None
    return {"path": path, "kind": "dunder"} if path else None


def _in_version_file(tree: Tree, found: Manifests, package: Package | None) -> Json | None:
    places = [*tree.top(r"VERSION(\.txt)?"), *([f"{package.place}/VERSION"] if package else ())]
    for path in places:
        if re.fullmatch(r"\s*v?\d\S*\s*", tree.read(path)):
            return {"path": path, "kind": "VERSION"}
    return None


def _attribute(tree: Tree, found: Manifests, attribute: str) -> Json | None:
    """The file of `package.module.name`, followed to the module that the package takes the name from."""
    module = attribute.rpartition(".")[0].replace(".", "/")
    for root in _roots(found):
        place = "/".join(part for part in (root, module) if part)
        path = _version_module(tree, place) or _version_module(tree, f"{place}.py")
        if path:
            return {"path": path, "kind": "dunder"}
    return None


def _version_module(tree: Tree, place: str) -> str | None:
    """The file of a package (or the one module) that assigns a version to `__version__` or `VERSION`."""
    files = [place] if place.endswith(".py") else [f"{place}/{name}" for name in VERSION_MODULES]
    return next((path for path in files if states_version(tree, path)), None)


def states_version(tree: Tree, path: str) -> bool:
    return tree.has(path) and not _constants(tree.python(path)).keys().isdisjoint(VERSION_NAMES)


def _constants(module: ast.Module) -> dict[str, str]:
    """Names that a module gives a text, at its top level."""
    found: dict[str, str] = {}
    for statement in module.body:
        value = getattr(statement, "value", None)
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(value, ast.Constant):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if isinstance(value.value, str):
                found |= {target.id: value.value for target in targets if isinstance(target, ast.Name)}
    return found


def _setup_call(module: ast.Module) -> dict[str, ast.expr]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "setup":
            return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    return {}


def literal(node: ast.expr | None) -> Any:
    """The value of an expression that is a literal; None for one that would have to be run."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _project_names(found: Manifests) -> list[str]:
    names = (
        dig(found.pyproject, "project", "name"),
        found.tool("poetry", "name"),
        found.tool("flit", "metadata", "module"),
        dig(found.cfg, "metadata", "name"),
        literal(found.call.get("name")),
    )
    return [name for name in names if isinstance(name, str) and name]


def _named_packages(found: Manifests) -> set[str]:
    """Import names that a manifest lists itself."""
    listed = [
        *texts(found.tool("setuptools", "packages")),
        *texts(found.tool("setuptools", "py-modules")),
        *texts(literal(found.call.get("packages"))),
        *texts(literal(found.call.get("py_modules"))),
        *(dig(found.cfg, "options", "packages") or "").split(),
        *(dig(found.cfg, "options", "py_modules") or "").split(),
        *texts([dig(entry, "include") for entry in items(found.tool("poetry", "packages"))]),
        *(path.rpartition("/")[2] for path in _hatch_packages(found)),
        *texts(found.tool("flit", "module", "name")),
        *texts(found.tool("flit", "metadata", "module")),
    ]
    return {name.removesuffix(".py") for name in listed if name}


def _hatch_packages(found: Manifests) -> list[str]:
    return texts(found.tool("hatch", "build", "targets", "wheel", "packages"))


def _roots(found: Manifests) -> list[str]:
    """The folders that may hold the package: what manifests say, then `src`, then the top."""
    said = [
        dig(found.tool("setuptools", "package-dir"), ""),
        dig(literal(found.call.get("package_dir")), ""),
        *re.findall(r"^\s*=\s*(\S+)", dig(found.cfg, "options", "package_dir") or "", re.MULTILINE),
        *texts(found.tool("setuptools", "packages", "find", "where")),
        dig(found.cfg, "options.packages.find", "where"),
        *(dig(entry, "from") for entry in items(found.tool("poetry", "packages"))),
        *(path.rpartition("/")[0] for path in _hatch_packages(found)),
        found.tool("pdm", "build", "package-dir"),
        found.tool("maturin", "python-source"),
        found.tool("uv", "build-backend", "module-root"),
    ]
    named = [root.strip("./") for root in said if isinstance(root, str)]
    return list(dict.fromkeys([*(root for root in named if root), "src", ""]))


def _packages_below(tree: Tree, root: str) -> Iterator[Package]:
    """The outermost packages of a folder, also those inside a namespace, and its single modules."""
    prefix = f"{root}/" if root else ""
    for path in tree.below(root):
        *folders, file = path.removeprefix(prefix).split("/")
        if file == "__init__.py" and 1 <= len(folders) <= 3 and all(map(str.isidentifier, folders)):
            outer = (f"{prefix}{'/'.join(folders[:depth])}/__init__.py" for depth in range(1, len(folders)))
            if not any(map(tree.has, outer)) and (root or folders[0] != "src"):
                yield Package(".".join(folders), root, prefix + "/".join(folders))
        elif file.endswith(".py") and not folders and file.removesuffix(".py").isidentifier():
            yield Package(file.removesuffix(".py"), root, path)


def _squashed(name: str) -> str:
    return re.sub(r"[-_.]+", "", name).lower()
