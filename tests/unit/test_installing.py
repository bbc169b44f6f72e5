"""What is missing is installed into the interpreter that lacks it, and never by the name apm."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from core.installing import install_extra, pip_install

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]


def test_the_command_is_that_interpreters_own() -> None:
    assert pip_install("/x/bin/python", "pytest", "coverage") == "/x/bin/python -m pip install pytest coverage"
    assert pip_install("/my env/python", "a>=1") == "'/my env/python' -m pip install 'a>=1'"


@pytest.mark.parametrize("extra", ["claude-code", "openai-compatible"])
def test_an_extra_is_installed_by_what_it_consists_of(extra: str) -> None:
    assert shlex.split(install_extra(extra)) == [sys.executable, "-m", "pip", "install", *EXTRAS[extra]]


def test_run_from_its_source_the_clone_offers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", unknown)

    assert install_extra("claude-code") == f"{shlex.quote(sys.executable)} -m pip install '.[claude-code]'"


def test_nobody_is_sent_to_the_public_index_for_apm() -> None:
    files = [ROOT / "README.md", *(ROOT / "core").rglob("*.py"), *(ROOT / "tui").rglob("*.py")]
    strangers = re.compile(r"pipx? install [\"']?apm\b")

    assert [file for file in files if strangers.search(file.read_text(encoding="utf-8"))] == []


def test_the_extras_that_the_readme_names_are_there() -> None:
    named = re.findall(r"'\.\[([a-z,-]+)\]'", (ROOT / "README.md").read_text(encoding="utf-8"))

    assert named
    assert {extra for extras in named for extra in extras.split(",")} <= EXTRAS.keys()
