"""Python: pyproject.toml, setup.cfg, setup.py, Pipfile, requirement files, uv.lock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from core.contract import Json
from core.projects.python_package import literal, manifests
from core.projects.stack.manifest import Dependency, Group, Manifest, Sign, cli
from core.projects.tree import Tree, dig, items, table, texts

MOST_OF_A_LINE = 1_000
"""Characters of one requirement; brackets in a longer one may nest beyond what its parser can follow."""
_FOR_DEVELOPERS = re.compile(r"dev|test|doc|lint|typ|build|style|check|bench|\bci\b|tool|local", re.IGNORECASE)
"""Names of requirement files that say nothing about what the project itself stands on."""
_RUNS = re.compile(r"base|common|core|main|install|prod\w*|app|server|web|api|run\w*|default|deploy\w*|in|txt|")
"""Words behind `requirements` that leave it the list of what runs; another word is an extra's."""
_COMPILED = re.compile(r"^#.*(pip-compile|uv pip compile|uv export)", re.MULTILINE)
_PRIVATE = "Private ::"
_FOR_OTHERS = ("Topic :: Software Development :: Libraries", "Typing :: Typed", "Framework ::")


def read_pyproject(tree: Tree, path: str) -> Manifest | None:
    """A package's own pyproject.toml; None for one that only sets tools up."""
    found = manifests(_alone(tree, path))
    project, poetry = table(found.pyproject.get("project")), table(found.tool("poetry"))
    name = project.get("name") or poetry.get("name") or found.tool("flit", "metadata", "module")
    dependencies = (*_of_project(found.pyproject), *_of_poetry(poetry))
    if not isinstance(name, str) and not any(dependency.counts for dependency in dependencies):
        return None
    scripts = [*table(project.get("scripts")), *table(poetry.get("scripts"))]
    packaged = "build-system" in found.pyproject or bool(project.get("version")) or bool(poetry.get("version"))
    refused = found.tool("uv", "package") is False or poetry.get("package-mode") is False
    classifiers = texts(project.get("classifiers")) or texts(poetry.get("classifiers"))
    return _manifest(path, name, dependencies, scripts, classifiers, packaged and not refused)


def read_setup_cfg(tree: Tree, path: str) -> Manifest | None:
    cfg = manifests(_alone(tree, path)).cfg
    name = dig(cfg, "metadata", "name")
    required = _lines(cfg, "options", "install_requires")
    if not name and not required:
        return None
    scripts = _lines(cfg, "options.entry_points", "console_scripts")
    commands = [line.partition("=")[0].strip() for line in scripts]
    return _manifest(path, name, _requirements(required), commands, _lines(cfg, "metadata", "classifiers"))


def read_setup_py(tree: Tree, path: str) -> Manifest | None:
    """What the call of `setup()` says as literals; nothing is run."""
    call = manifests(_alone(tree, path)).call
    if not call:
        return None
    points = literal(call.get("entry_points"))
    scripts = [line.partition("=")[0].strip() for line in texts(table(points).get("console_scripts"))]
    required = texts(literal(call.get("install_requires")))
    classifiers = texts(literal(call.get("classifiers")))
    return _manifest(path, literal(call.get("name")), _requirements(required), scripts, classifiers)


def read_requirements(tree: Tree, path: str) -> Manifest | None:
    """A list for pip. Of one that a tool wrote only those lines count that a person asked for."""
    if not _says_what_runs(path.rpartition("/")[2]):
        return None
    text = tree.read(path)
    if _COMPILED.search(text):
        text = "\n".join(_asked_for(text))
    return Manifest(path, "pypi", dependencies=tuple(_requirements(text.splitlines())), languages=("python",))


def _says_what_runs(name: str) -> bool:
    """`requirements.txt`, `requirements-prod.txt`, `base.txt`, `backend-requirements.txt`; not those of extras."""
    ahead, _, behind = name.lower().rpartition("requirements")
    words = re.split(r"[-_.]", behind)
    return not _FOR_DEVELOPERS.search(ahead) and all(map(_RUNS.fullmatch, words))


def read_pipfile(tree: Tree, path: str) -> Manifest | None:
    names = table(tree.toml(path).get("packages"))
    dependencies = tuple(_named(name, _version(value)) for name, value in names.items())
    return Manifest(path, "pypi", dependencies=dependencies, languages=("python",))


def read_uv_lock(tree: Tree, path: str) -> Manifest | None:
    """The direct dependencies of the project that the lock was made for."""
    own = [
        package
        for package in items(tree.toml(path).get("package"))
        if not {"virtual", "editable"}.isdisjoint(table(dig(package, "source")))
    ]
    names = [dig(entry, "name") for package in own for entry in items(dig(package, "dependencies"))]
    return Manifest(path, "pypi", dependencies=tuple(_named(name) for name in texts(names)), languages=("python",))


def _alone(tree: Tree, path: str) -> Tree:
    folder, _, name = path.rpartition("/")
    return tree.only(folder, name)


def _manifest(
    path: str,
    name: object,
    dependencies: Iterable[Dependency],
    scripts: Iterable[str],
    classifiers: Sequence[str],
    packaged: bool = True,
) -> Manifest:
    """What installs a command is a library only where its classifiers say so: else the command is what it is for."""
    commands = [script for script in scripts if script]
    signs: tuple[Sign, ...] = ()
    if commands:
        shown = ", ".join(commands[:3]) + (" …" if len(commands) > 3 else "")
        signs = (cli(f"declares the command{'s' if len(commands) > 1 else ''} {shown}"),)
    own = canonicalize_name(name) if isinstance(name, str) else ""
    private = any(text.startswith(_PRIVATE) for text in classifiers)
    library = not commands or any(text.startswith(_FOR_OTHERS) for text in classifiers)
    published = packaged and library and bool(own) and not private
    offered = published and any(text.startswith(_FOR_OTHERS) for text in classifiers)
    found = tuple(dependencies)
    return Manifest(path, "pypi", own, found, ("python",), signs, published, bool(signs), offered=offered)


def _lines(cfg: dict[str, dict[str, str]], section: str, option: str) -> list[str]:
    return [line.strip() for line in cfg.get(section, {}).get(option, "").splitlines() if line.strip()]


def _of_project(pyproject: Json) -> Iterator[Dependency]:
    project = table(pyproject.get("project"))
    yield from _requirements(items(project.get("dependencies")))
    for extra in table(project.get("optional-dependencies")).values():
        yield from _requirements(items(extra), "optional")
    for group in table(pyproject.get("dependency-groups")).values():
        yield from _requirements(items(group), "dev")


def _of_poetry(poetry: Json) -> Iterator[Dependency]:
    for name, value in table(poetry.get("dependencies")).items():
        if name.lower() != "python":
            yield _named(name, _version(value), "optional" if dig(value, "optional") is True else "main")
    groups = [group.get("dependencies") for group in table(poetry.get("group")).values() if isinstance(group, dict)]
    for names in (poetry.get("dev-dependencies"), *groups):
        yield from (_named(name, _version(value), "dev") for name, value in table(names).items())


def _requirements(lines: Iterable[object], group: Group = "main") -> Iterator[Dependency]:
    for line in lines:
        if isinstance(line, str) and (found := _requirement(line)):
            yield replace(found, group=group)


def _requirement(line: str) -> Dependency | None:
    """One line of PEP 508, or what is left of its name when it is written otherwise."""
    text = re.split(r"\s#|^#|\s--\w", line, maxsplit=1)[0].strip().rstrip("\\").strip()
    if len(text) > MOST_OF_A_LINE:
        return None
    try:
        parsed = Requirement(text)
        return _named(parsed.name, str(parsed.specifier))
    except (InvalidRequirement, RecursionError):
        named = re.match(r"([A-Za-z0-9][\w.-]*)\s*(?:$|[\[<>=!~;@ ])", text) or re.search(r"#egg=([\w.-]+)", line)
        return _named(named[1]) if named else None


def _asked_for(text: str) -> Iterator[str]:
    """The lines of a compiled list that name a person's own file, not another package, as their reason."""
    line, reasons = "", ""
    for row in [*text.splitlines(), "end"]:
        if row.lstrip().startswith("#") or row.startswith((" ", "--")):
            reasons += row
            continue
        if line and ("#" not in reasons or re.search(r"-r |pyproject\.toml|setup\.(py|cfg)|\.in\b", reasons)):
            yield line
        line, reasons = row, row.partition("#")[2] and "#" + row.partition("#")[2]


def _named(name: str, wanted: str = "", group: Group = "main") -> Dependency:
    return Dependency(canonicalize_name(name), wanted, group)


def _version(value: object) -> str:
    version = value if isinstance(value, str) else dig(value, "version")
    return version if isinstance(version, str) and version != "*" else ""
