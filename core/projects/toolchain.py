"""The tools that a project configures: analysers and test runner. Tables; a new tool is a new row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.contract import Json
from core.projects.python_package import Manifests, Package
from core.projects.tree import Tree, dig, table, texts

PACKAGE = "{package}"
"""Stands in a row's command for the import package's folder, or the top where there is none."""

_NPX = ("npx", "--no-install")


@dataclass(frozen=True, slots=True)
class Analyser:
    """A static analyser: where its configuration may stand, and the command that only checks.

    A mention in `.pre-commit-config.yaml` is no configuration: hooks choose files and options of their own, so the
    bare tool on the whole tree is not what the project asked for.
    """

    name: str
    argv: tuple[str, ...]
    files: str = ""
    """A pattern of file names at the top."""
    tables: tuple[tuple[str, ...], ...] = ()
    """Tables of pyproject.toml, below `[tool]`."""
    sections: str = ""
    """A pattern of sections of setup.cfg and tox.ini."""
    package_json: str = ""


def _module(name: str, *args: str) -> tuple[str, ...]:
    return ("{python}", "-m", name, *args)


ANALYSERS = (
    Analyser("ruff", _module("ruff", "check", "."), r"\.?ruff\.toml", (("ruff",),)),
    Analyser("ruff", _module("ruff", "format", "--check", "."), tables=(("ruff", "format"),)),
    Analyser("black", _module("black", "--check", "."), tables=(("black",),)),
    Analyser("isort", _module("isort", "--check-only", "."), r"\.isort\.cfg", (("isort",),), r"(tool:)?isort"),
    Analyser("flake8", _module("flake8"), r"\.flake8", (("flake8",),), r"flake8"),
    Analyser("pycodestyle", _module("pycodestyle", "."), sections=r"pycodestyle|pep8"),
    Analyser("pydocstyle", _module("pydocstyle", PACKAGE), r"\.pydocstyle(\.ini)?", (("pydocstyle",),), r"pydocstyle"),
    Analyser("pylint", _module("pylint", PACKAGE), r"\.?pylintrc(\.toml)?", (("pylint",),), r"pylint(\..*)?"),
    Analyser("mypy", _module("mypy", PACKAGE), r"\.?mypy\.ini", (("mypy",),), r"mypy"),
    Analyser("pyright", _module("pyright"), r"pyrightconfig\.json", (("pyright",), ("basedpyright",))),
    Analyser("eslint", (*_NPX, "eslint", "."), r"eslint\.config\.\w+|\.eslintrc(\.\w+)?", package_json="eslintConfig"),
    Analyser("tsc", (*_NPX, "tsc", "--noEmit"), r"tsconfig\.json"),
    Analyser(
        "prettier",
        (*_NPX, "prettier", "--check", "."),
        r"\.prettierrc(\.\w+)?|prettier\.config\.\w+",
        package_json="prettier",
    ),
    Analyser("biome", (*_NPX, "biome", "check", "."), r"biome\.jsonc?"),
    Analyser("golangci-lint", ("golangci-lint", "run"), r"\.golangci\.(ya?ml|toml|json)"),
    Analyser("clippy", ("cargo", "clippy", "--", "-D", "warnings"), r"\.?clippy\.toml"),
    Analyser("rustfmt", ("cargo", "fmt", "--check"), r"\.?rustfmt\.toml"),
)

WORTH_NAMING = (
    (re.compile(r".*\.[cm]?[jt]sx?"), "npx --no-install eslint ."),
    (re.compile(r".*\.go"), "go vet ./..."),
    (re.compile(r".*\.rs"), "cargo clippy -- -D warnings"),
)
"""Files that an analyser reads where a project configures one, and the command that such a project may name."""

_JS_RUNNERS = ("vitest", "jest", "mocha")
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|tests)\.py$")
_TEST_FOLDER = re.compile(r"tests?|testing|__tests__|specs?", re.IGNORECASE)
_ANY_TEST = re.compile(
    r"(^|/)(test_[^/]*\.py|[^/]*_test\.(py|go|exs)|[^/]*\.(test|spec)\.[cm]?[jt]sx?|[^/]*_spec\.rb)$"
)


def analyser_worth_naming(paths: Sequence[str]) -> tuple[str, str]:
    """The first file that a known analyser would read, and its command; both empty where there is none."""
    found = ((path, command) for pattern, command in WORTH_NAMING for path in paths if pattern.fullmatch(path))
    return next(found, ("", ""))


def analysers(tree: Tree, found: Manifests, package: Package | None) -> list[Json]:
    """`{"name", "argv"}` of each analyser that the project configures, in the table's order."""
    sections = {*found.cfg, *tree.ini("tox.ini")}
    scripts = tree.json("package.json")
    return [
        {"name": row.name, "argv": _argv(row, tree, found, package)}
        for row in ANALYSERS
        if (row.files and tree.top(row.files))
        or any(found.tool(*table) is not None for table in row.tables)
        or (row.sections and any(re.fullmatch(row.sections, section) for section in sections))
        or (row.package_json and row.package_json in scripts)
    ]


def _argv(row: Analyser, tree: Tree, found: Manifests, package: Package | None) -> list[str]:
    """mypy takes its files from its configuration where that names any, so there it is given none."""
    place = package.place if package else "."
    if row.name == "mypy" and _mypy_names_files(tree, found):
        place = ""
    return [word for word in (place if word == PACKAGE else word for word in row.argv) if word]


def _mypy_names_files(tree: Tree, found: Manifests) -> bool:
    sections = [tree.ini(name).get("mypy", {}) for name in ("mypy.ini", ".mypy.ini", "setup.cfg")]
    named = {key for section in (*sections, table(found.tool("mypy"))) for key in section}
    return not named.isdisjoint({"files", "packages", "modules"})


def test_runner(tree: Tree, found: Manifests) -> str | None:
    """What runs the project's tests; None when there are none that apm recognises."""
    files = [path for path in tree.paths if _TEST_FILE.search(path)]
    if _configures_pytest(tree, found) or any("pytest" in tree.read(path) for path in files[:50]):
        return "pytest"
    if files:
        return "unittest" if any("unittest" in tree.read(path) for path in files[:50]) else "pytest"
    if tree.has("package.json"):
        return _javascript_runner(tree.json("package.json"))
    if any(path.endswith("_test.go") for path in tree.paths):
        return "go"
    return "cargo" if tree.has("Cargo.toml") else None


def _configures_pytest(tree: Tree, found: Manifests) -> bool:
    return bool(
        tree.first("pytest.ini", ".pytest.ini", "pytest.toml", "conftest.py", "tests/conftest.py", "test/conftest.py")
        or found.tool("pytest") is not None
        or "tool:pytest" in found.cfg
        or "pytest" in tree.ini("tox.ini")
    )


def _javascript_runner(manifest: Json) -> str | None:
    script = str(dig(manifest, "scripts", "test") or "")
    known = {**table(manifest.get("devDependencies")), **table(manifest.get("dependencies"))}
    runner = next((name for name in _JS_RUNNERS if name in known and name in script), None)
    # npm writes a script of this kind for a project that has no tests.
    return runner or ("npm" if script and "no test specified" not in script else None)


def test_dirs(tree: Tree, found: Manifests, package: Package | None) -> list[str]:
    """The folders that hold tests, outermost first; those that pytest is pointed at, and those named for it."""
    files = [path for path in tree.paths if _ANY_TEST.search(path)]
    named = [_test_folder(path) for path in files]
    own = {package.root, package.place} if package else set()
    configured = [path.strip("./") for path in _testpaths(tree, found)]
    configured = [path for path in configured if path not in own and any(file.startswith(f"{path}/") for file in files)]
    folders = list(dict.fromkeys([*configured, *(folder for folder in named if folder)]))
    return [folder for folder in folders if not any(folder.startswith(f"{outer}/") for outer in folders)]


def _test_folder(path: str) -> str:
    """The outermost folder of a path that is named for tests; empty when none is."""
    folders = path.split("/")[:-1]
    depth = next((index for index, name in enumerate(folders) if _TEST_FOLDER.fullmatch(name)), None)
    return "" if depth is None else "/".join(folders[: depth + 1])


def _testpaths(tree: Tree, found: Manifests) -> list[str]:
    values = (
        found.tool("pytest", "ini_options", "testpaths"),
        dig(found.cfg, "tool:pytest", "testpaths"),
        dig(tree.ini("pytest.ini"), "pytest", "testpaths"),
        dig(tree.ini("tox.ini"), "pytest", "testpaths"),
    )
    return [path for value in values for text in texts(value) for path in text.split()]
