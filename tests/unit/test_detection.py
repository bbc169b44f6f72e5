"""What detection finds in a repository, from its files alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Json
from core.projects.detection import detect, tech_of
from core.projects.git import GitError
from core.projects.stack.facts import Stack
from core.projects.tree import MAX_FILE_BYTES, Tree
from tests.unit.detected import tech
from tests.unit.git_project import commit, git, write

PYPROJECT = """
[project]
name = "shop-api"
version = "1.2.3"
dependencies = ["Django>=5", "celery[redis] ; python_version > '3.8'"]
[project.optional-dependencies]
cli = ["typer"]
dev = ["flask"]
[tool.ruff]
[tool.ruff.format]
[tool.mypy]
files = ["src"]
[tool.pytest.ini_options]
testpaths = ["tests", "src"]
"""


async def test_a_whole_project(tmp_path: Path) -> None:
    repo = tmp_path / "my projéct"
    files = {
        "pyproject.toml": PYPROJECT,
        "src/shop_api/__init__.py": "",
        "src/shop_api/migrations/0001_initial.py": "",
        "tests/unit/test_a.py": "import pytest",
        "README.md": "# Shop",
        "docs/usé.md": "",
        "CHANGELOG.md": "",
        "scripts/run.sh": "",
        "node_modules/left/pad.js": "",
    }
    commit(repo, files)
    (repo / "new.go").write_text("not tracked")

    found = await detect(repo)

    assert Stack.from_json(found.pop("stack")).words("framework") == ("celery", "django")
    assert found == {
        "languages": ["python", "shell"],
        "frameworks": ["celery", "django"],
        "packaging": "pyproject",
        "package": "shop_api",
        "layout": "src",
        "source_root": "src",
        "version_file": {"path": "pyproject.toml", "kind": "pyproject"},
        "changelog": "CHANGELOG.md",
        "test_dirs": ["tests"],
        "test_runner": "pytest",
        "analysers": [
            {"name": "ruff", "argv": ["{python}", "-m", "ruff", "check", "."]},
            {"name": "ruff", "argv": ["{python}", "-m", "ruff", "format", "--check", "."]},
            {"name": "mypy", "argv": ["{python}", "-m", "mypy"]},
        ],
        "docs": ["README.md", "docs/usé.md"],
        "migrations": ["src/shop_api/migrations"],
    }


async def test_an_empty_repository_has_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    found = await detect(tmp_path)
    assert [key for key, value in found.items() if value] == []


async def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        await detect(tmp_path)


@pytest.mark.parametrize(
    ("files", "package", "root"),
    [
        ({"pyproject.toml": '[project]\nname = "My-Pkg"', "src/my_pkg/__init__.py": ""}, "my_pkg", "src"),
        ({"pyproject.toml": '[project]\nname = "pkg"', "pkg/__init__.py": "", "other/__init__.py": ""}, "pkg", ""),
        ({"pyproject.toml": '[project]\nname = "build"', "src/build/__init__.py": ""}, "build", "src"),
        ({"pyproject.toml": '[project]\nname = "a.b.c"', "src/a/b/c/__init__.py": ""}, "a.b.c", "src"),
        ({"pyproject.toml": '[project]\nname = "one"', "one.py": "", "setup.py": "", "conftest.py": ""}, "one", ""),
        ({"setup.py": "setup(name='PyYAML', package_dir={'': 'lib'})", "lib/yaml/__init__.py": ""}, "yaml", "lib"),
        (
            {"setup.cfg": "[metadata]\nname=x\n[options]\npackage_dir=\n  =code\n", "code/x/__init__.py": ""},
            "x",
            "code",
        ),
        (
            {"pyproject.toml": '[tool.setuptools.packages.find]\nwhere = ["py"]', "py/z/__init__.py": ""},
            "z",
            "py",
        ),
        (
            {
                "pyproject.toml": '[tool.poetry]\nname = "a"\npackages = [{include = "q", from = "lib"}]',
                "lib/q/__init__.py": "",
                "lib/r/__init__.py": "",
            },
            "q",
            "lib",
        ),
        (
            {
                "pyproject.toml": '[project]\nname = "n"\n[tool.hatch.build.targets.wheel]\npackages = ["lib/w"]',
                "lib/w/__init__.py": "",
            },
            "w",
            "lib",
        ),
        ({"core/__init__.py": "", "core/a.py": "", "tests/__init__.py": "", "docs/x/__init__.py": ""}, "core", ""),
        ({"a.py": "", "b.py": ""}, None, None),
        ({"only.py": "", "setup.py": "", "test_only.py": ""}, "only", ""),
        ({"index.js": ""}, None, None),
    ],
)
def test_the_import_package(tmp_path: Path, files: dict[str, str], package: str | None, root: str | None) -> None:
    found = tech(tmp_path, files)
    assert (found["package"], found["source_root"]) == (package, root)
    assert found["layout"] == {None: None, "": "flat"}.get(root, "src")


@pytest.mark.parametrize(
    ("file", "text", "packaging"),
    [
        ("pyproject.toml", '[project]\nname = "p"', "pyproject"),
        ("pyproject.toml", "[tool.ruff]", None),
        ("setup.cfg", "[metadata]\nname = p", "setup.cfg"),
        ("setup.py", "", "setup.py"),
        ("package.json", "{}", "package.json"),
        ("Cargo.toml", "", "cargo"),
        ("go.mod", "", "go"),
        ("pom.xml", "", "maven"),
        ("requirements.txt", "", None),
    ],
)
def test_the_packaging(tmp_path: Path, file: str, text: str, packaging: str | None) -> None:
    assert tech(tmp_path, {file: text})["packaging"] == packaging


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        ({"ruff.toml": ""}, ["{python} -m ruff check ."]),
        ({".flake8": ""}, ["{python} -m flake8"]),
        ({"setup.cfg": "[flake8]\n[mypy]\nfiles=x\n"}, ["{python} -m flake8", "{python} -m mypy"]),
        ({"tox.ini": "[flake8]\n[tox]\n"}, ["{python} -m flake8"]),
        ({"mypy.ini": "[mypy]\n", "p/__init__.py": ""}, ["{python} -m mypy p"]),
        ({".pylintrc": "", "src/p/__init__.py": ""}, ["{python} -m pylint src/p"]),
        ({"pyproject.toml": "[tool.black]"}, ["{python} -m black --check ."]),
        ({"pyproject.toml": "[tool.isort]"}, ["{python} -m isort --check-only ."]),
        ({"tsconfig.json": "{}"}, ["npx --no-install tsc --noEmit"]),
        ({"eslint.config.mjs": ""}, ["npx --no-install eslint ."]),
        ({"package.json": '{"eslintConfig": {}}'}, ["npx --no-install eslint ."]),
        ({".golangci.yml": ""}, ["golangci-lint run"]),
        ({".pre-commit-config.yaml": "repos: [{repo: ruff}]", "requirements-dev.txt": "flake8"}, []),
        ({"sub/ruff.toml": "", "docs/.flake8": ""}, []),
    ],
)
def test_analysers_are_those_that_the_project_configures(
    tmp_path: Path, files: dict[str, str], commands: list[str]
) -> None:
    assert [" ".join(row["argv"]) for row in tech(tmp_path, files)["analysers"]] == commands


@pytest.mark.parametrize(
    ("files", "runner", "folders"),
    [
        ({"pytest.ini": "", "p.py": ""}, "pytest", []),
        ({"tests/conftest.py": "", "tests/a/test_x.py": ""}, "pytest", ["tests"]),
        ({"test/test_x.py": "import unittest"}, "unittest", ["test"]),
        ({"test/test_x.py": "def test_it(): ..."}, "pytest", ["test"]),
        ({"p/__init__.py": "", "p/tests/test_x.py": "import pytest"}, "pytest", ["p/tests"]),
        ({"p/__init__.py": "", "p/test_x.py": "import pytest"}, "pytest", []),
        ({"pytest.ini": "[pytest]\ntestpaths = checks", "checks/test_x.py": ""}, "pytest", ["checks"]),
        ({"package.json": '{"scripts": {"test": "vitest run"}, "devDependencies": {"vitest": "1"}}'}, "vitest", []),
        ({"package.json": '{"scripts": {"test": "node t.js"}}', "__tests__/a.test.ts": ""}, "npm", ["__tests__"]),
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, None, []),
        ({"go.mod": "", "a_test.go": ""}, "go", []),
        ({"Cargo.toml": ""}, "cargo", []),
        ({"p/testing/__init__.py": "", "main.py": ""}, None, []),
    ],
)
def test_how_and_where_tests_are(tmp_path: Path, files: dict[str, str], runner: str | None, folders: list[str]) -> None:
    found = tech(tmp_path, files)
    assert (found["test_runner"], found["test_dirs"]) == (runner, folders)


SPRING = """
<project><dependencies><dependency>
  <groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter</artifactId>
</dependency></dependencies></project>
"""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements.txt": "Flask==3\n# comment\n-r other.txt\n"}, ["flask"]),
        ({"requirements/base.txt": "fastapi\n", "requirements/dev.txt": "django\n"}, ["fastapi"]),
        ({"setup.cfg": "[options]\ninstall_requires =\n  SQLAlchemy>=2\n  click\n"}, ["click", "sqlalchemy"]),
        ({"setup.py": "setup(install_requires=['tornado'])"}, ["tornado"]),
        ({"pyproject.toml": '[tool.poetry]\nname="p"\n[tool.poetry.dependencies]\nTextual = "*"\n'}, ["textual"]),
        ({"Pipfile": "[packages]\npandas = '*'\n"}, ["pandas"]),
        ({"web/package.json": '{"dependencies": {"react": "18"}}'}, ["react"]),
        ({"package.json": '{"devDependencies": {"@angular/core": "1"}}'}, ["angular"]),
        ({"go.mod": "module x\nrequire (\n\tgithub.com/gin-gonic/gin v1.9\n)\n"}, ["gin"]),
        ({"Cargo.toml": '[dependencies]\naxum = "1"\n'}, ["axum"]),
        ({"Gemfile": "gem 'rails', '~> 7'\n"}, ["rails"]),
        ({"pom.xml": SPRING}, ["spring"]),
        ({"pyproject.toml": '[project]\nname = "p"\ndependencies = "no list"\n[dependency-groups]\nx=["django"]'}, []),
    ],
)
def test_frameworks_are_the_projects_own(tmp_path: Path, files: dict[str, str], expected: list[str]) -> None:
    assert tech(tmp_path, files)["frameworks"] == expected


@pytest.mark.parametrize(
    ("paths", "changelog"),
    [
        (["CHANGES.rst", "CHANGELOG.md"], "CHANGELOG.md"),
        (["History.md"], "History.md"),
        (["NEWS"], "NEWS"),
        (["docs/changelog.rst"], "docs/changelog.rst"),
        (["changes/1.md", "changelog.py"], None),
    ],
)
def test_the_changelog(tmp_path: Path, paths: list[str], changelog: str | None) -> None:
    assert tech(tmp_path, dict.fromkeys(paths, ""))["changelog"] == changelog


def test_folders_of_migrations(tmp_path: Path) -> None:
    paths = ["app/migrations/0001.py", "db/migrate/1.rb", "prisma/migrations/1/up.sql", "tests/migrations/a.py"]
    files = {
        **dict.fromkeys(paths, ""),
        "alembic.ini": "[alembic]\nscript_location = %(here)s/database\n",
        "database/versions/1_a.py": "",
        "docs/migrations/guide.md": "",
    }
    assert tech(tmp_path, files)["migrations"] == [
        "app/migrations",
        "database/versions",
        "db/migrate",
        "prisma/migrations",
    ]


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    outside = tmp_path / "outside.toml"
    outside.write_text('[project]\nname = "secret"\nversion = "9"\n')
    repo = tmp_path / "repo"
    write(repo, {"setup.py": "def broken(:", "setup.cfg": "no section", "tox.ini": "[a\n", "p/__init__.py": "\0"})
    (repo / "pyproject.toml").symlink_to(outside)
    (repo / "package.json").write_text("{" + " " * MAX_FILE_BYTES + "}")
    (repo / "Cargo.toml").write_bytes(b"\xff\xfe\x00")
    (repo / "README.md").mkdir()
    names = ["setup.py", "setup.cfg", "tox.ini", "p/__init__.py", "pyproject.toml", "package.json", "Cargo.toml"]

    found = tech_of(Tree.of(repo, (*names, "gone.py", "README.md")))

    assert found["version_file"] is None
    assert found["package"] == "p"
    assert found["packaging"] == "setup.py"


NAMES = """
project tool setuptools dynamic version attr file poetry packages hatch scripts name dependencies include find where
mypy pytest ini_options testpaths build-system requires optional-dependencies package-dir workspace
"""

KEYS = st.sampled_from(NAMES.split())

SCALARS = st.booleans() | st.integers(-9, 9) | st.text("abc/.- :=\n", max_size=5)

VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)

MANIFESTS = st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES), max_size=4)


@given(MANIFESTS, MANIFESTS, MANIFESTS)
def test_no_manifest_of_any_shape_stops_detection(pyproject: Json, package: Json, cargo: Json) -> None:
    """Manifests are written by people: a list where a table belongs must not end in a stack trace."""
    texts = {
        "pyproject.toml": tomlkit.dumps(pyproject),
        "package.json": json.dumps(package),
        "Cargo.toml": tomlkit.dumps(cargo),
        "p/__init__.py": "",
    }
    assert json.dumps(tech_of(Tree(Path(), tuple(texts), frozenset(texts), texts)))
