"""Which file states a project's version, or that none does."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.agents import versions
from tests.unit.detected import BUILD, INIT, tech

SETUPTOOLS = BUILD + '[project]\nname = "pkg"\ndynamic = ["version"]\n[tool.setuptools.dynamic]\n'

HATCH = '[build-system]\nbuild-backend = "hatchling.build"\n[project]\nname = "pkg"\ndynamic = ["version"]\n'

REQUIRES = '[build-system]\nrequires = ["setuptools", "{tool}>=6"]\n[project]\nname = "pkg"\ndynamic = ["version"]\n'

STATED: dict[str, tuple[dict[str, str], str, str]] = {
    "static": ({"pyproject.toml": '[project]\nname = "pkg"\nversion = "1.2.3"\n'}, "pyproject.toml", "pyproject"),
    "poetry": ({"pyproject.toml": '[tool.poetry]\nname = "pkg"\nversion = "1.2.3"\n'}, "pyproject.toml", "poetry"),
    "setuptools attr": (
        {"pyproject.toml": SETUPTOOLS + 'version = {attr = "pkg.__version__"}\n', "pkg/__init__.py": INIT},
        "pkg/__init__.py",
        "dunder",
    ),
    "setuptools attr in a module": (
        {"pyproject.toml": SETUPTOOLS + 'version = {attr = "pkg.about.__version__"}\n', "src/pkg/about.py": INIT},
        "src/pkg/about.py",
        "dunder",
    ),
    "an attr that the package imports": (
        {
            "pyproject.toml": SETUPTOOLS + 'version = {attr = "pkg.__version__"}\n',
            "src/pkg/__init__.py": "from pkg._version import __version__\n",
            "src/pkg/_version.py": INIT,
        },
        "src/pkg/_version.py",
        "dunder",
    ),
    "setuptools file": (
        {"pyproject.toml": SETUPTOOLS + 'version = {file = ["VERSION.txt"]}\n', "VERSION.txt": "1.2.3\n"},
        "VERSION.txt",
        "VERSION",
    ),
    "hatch path": (
        {"pyproject.toml": HATCH + '[tool.hatch.version]\npath = "src/pkg/about.py"\n', "src/pkg/about.py": INIT},
        "src/pkg/about.py",
        "dunder",
    ),
    "flit": (
        {"pyproject.toml": '[project]\nname = "pkg"\ndynamic = ["version"]\n', "pkg/__init__.py": INIT},
        "pkg/__init__.py",
        "dunder",
    ),
    "a flit of old": (
        {"pyproject.toml": '[tool.flit.metadata]\nmodule = "pkg"\n', "pkg.py": INIT},
        "pkg.py",
        "dunder",
    ),
    "pdm": (
        {
            "pyproject.toml": '[project]\nname = "pkg"\n[tool.pdm.version]\nsource = "file"\npath = "pkg/v.py"\n',
            "pkg/v.py": INIT,
        },
        "pkg/v.py",
        "dunder",
    ),
    "maturin": (
        {
            "pyproject.toml": '[build-system]\nbuild-backend = "maturin"\n[project]\nname = "pkg"\n',
            "Cargo.toml": '[package]\nversion = "1.2.3"\n',
        },
        "Cargo.toml",
        "cargo",
    ),
    "setup.cfg": ({"setup.cfg": "[metadata]\nname = pkg\nversion = 1.2.3\n"}, "setup.cfg", "setup.cfg"),
    "setup.cfg attr": (
        {"setup.cfg": "[metadata]\nname = pkg\nversion = attr: pkg.__version__\n", "pkg/__init__.py": INIT},
        "pkg/__init__.py",
        "dunder",
    ),
    "setup.cfg file": (
        {"setup.cfg": "[metadata]\nname = pkg\nversion = file: VERSION\n", "VERSION": "1.2.3"},
        "VERSION",
        "VERSION",
    ),
    "setup.py": ({"setup.py": 'import os\nos.abort()\nsetup(name="pkg", version="1.2.3")\n'}, "setup.py", "setup.py"),
    "setup.py by name": (
        {"setup.py": 'V = "1.2.3"\nsetuptools.setup(name="pkg", version=V)\n'},
        "setup.py",
        "setup.py",
    ),
    "setup.py by reading": (
        {"setup.py": "setup(name='pkg', version=read())\n", "pkg/__init__.py": "", "pkg/__about__.py": INIT},
        "pkg/__about__.py",
        "dunder",
    ),
    "VERSION": ({"setup.py": "setup(name='pkg', version=read())", "VERSION": "1.2.3\n"}, "VERSION", "VERSION"),
    "package.json": ({"package.json": '{"name": "pkg", "version": "1.2.3"}'}, "package.json", "package.json"),
    "cargo": ({"Cargo.toml": '[package]\nname = "pkg"\nversion = "1.2.3"\n'}, "Cargo.toml", "cargo"),
    "a cargo workspace": ({"Cargo.toml": '[workspace.package]\nversion = "1.2.3"\n'}, "Cargo.toml", "cargo"),
    "VERSION alone": ({"main.c": "", "VERSION": "v1.2.3\n"}, "VERSION", "VERSION"),
}


@pytest.mark.parametrize("case", STATED)
def test_the_file_that_states_the_version(tmp_path: Path, case: str) -> None:
    files, path, kind = STATED[case]

    found = tech(tmp_path, files)["version_file"]

    assert found == {"path": path, "kind": kind}
    place = versions.read_place(tmp_path, path, kind)
    assert place is not None
    assert place.value == "1.2.3"


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": REQUIRES.format(tool="setuptools_scm")},
        {"pyproject.toml": REQUIRES.format(tool="versioneer"), "pkg/__init__.py": INIT},
        {"pyproject.toml": HATCH + '[tool.hatch.version]\nsource = "vcs"\n'},
        {"pyproject.toml": '[project]\nname = "p"\n[tool.pdm.version]\nsource = "scm"\n'},
        {
            "pyproject.toml": '[tool.poetry]\nname = "p"\nversion = "0.0.0"\n'
            "[tool.poetry-dynamic-versioning]\nenable = true\n"
        },
        {"setup.py": "setup(name='p', use_scm_version=True)"},
        {"setup.py": "import versioneer\nsetup(name='p', version=versioneer.get_version())"},
        {"setup.py": "setup(setup_requires=['pbr'], pbr=True)", "setup.cfg": "[metadata]\nname = p\n"},
        {"setup.cfg": "[metadata]\nname = p\n[versioneer]\nVCS = git\n"},
        {"go.mod": "module example.org/p\n"},
    ],
)
def test_a_version_that_lives_in_tags(tmp_path: Path, files: dict[str, str]) -> None:
    assert tech(tmp_path, files)["version_file"] == {"path": None, "kind": "vcs"}


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": "print(1)"},
        {"pyproject.toml": '[project]\nname = "p"\ndynamic = ["version"]\n', "p/__init__.py": "VERSION = (1, 2)"},
        {"setup.py": "setup(name='p', version=read())", "VERSION": "see the tags\n"},
        {"pyproject.toml": "[project\nbroken"},
        {"package.json": '["no object"]'},
    ],
)
def test_a_project_that_states_no_version(tmp_path: Path, files: dict[str, str]) -> None:
    assert tech(tmp_path, files)["version_file"] is None
