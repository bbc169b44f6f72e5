"""What a Python project needs to be built: whether it is here, and an environment that is made without its code.

Where a model wrote what is built, the build has no network; what it needs is fetched before, by names alone and as
wheels, which are unpacked and not run.
"""

from __future__ import annotations

import importlib.metadata
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

from core.projects.commands import CommandResult, Limits, run
from core.sanitise import one_line

DEFAULT_REQUIRES = ("setuptools>=40.8.0",)
"""What PEP 517 builds with where a project names no backend."""


def read_pyproject(source: Path) -> dict[str, Any]:
    """A source tree's pyproject.toml; empty where there is none, or none that can be read."""
    try:
        return tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def are_here(source: Path) -> bool:
    """Whether this interpreter satisfies `build-system.requires`."""
    return all(_is_here(text) for text in _requires(source))


def refused(source: Path) -> str:
    """Why what the project builds with is not fetched for it; empty where every requirement is a plain name."""
    for text in _requires(source):
        if _named(text) is None:
            return (
                f"pyproject.toml asks for {one_line(repr(text), 200)} to build with, which is not the name of a "
                "package with its versions, as in hatchling>=1.27; nothing else is fetched for what a model wrote. "
                "Correct `requires` under [build-system]."
            )
    return ""


async def make_environment(
    source: Path, folder: Path, *, limits: Limits, environment: Mapping[str, str]
) -> list[CommandResult]:
    """A virtual environment in `folder` with `build` and what the project builds with, none of which `refused` names.

    From here on its Python is for the sandbox alone: a package may bring a `.pth` file, which Python runs at its start.
    """
    argv = [sys.executable, "-I", "-m", "venv", str(folder)]
    made = await run(argv, cwd=folder.parent, limits=limits, env=environment)
    if not made.ok:
        return [made]
    named = [requirement for text in _requires(source) if (requirement := _named(text)) and _is_meant(requirement)]
    words = [f"build=={importlib.metadata.version('build')}", *map(str, named)]
    argv = [str(folder / "bin" / "python"), "-I", "-m", "pip", "install", "--only-binary", ":all:", *words]
    # In a folder without files of the project: pip takes a name that is an archive beside it for that archive.
    return [made, await run(argv, cwd=folder, limits=limits, env=environment)]


def _requires(source: Path) -> list[str]:
    table = read_pyproject(source).get("build-system")
    requires = table.get("requires", DEFAULT_REQUIRES) if isinstance(table, dict) else DEFAULT_REQUIRES
    return [str(text) for text in requires] if isinstance(requires, list | tuple) else [str(requires)]


def _named(text: str) -> Requirement | None:
    """The requirement, where it is one by name: no address, no path, no option of pip."""
    try:
        requirement = Requirement(text)
        _is_meant(requirement)
    except (InvalidRequirement, UndefinedEnvironmentName):
        return None
    return None if requirement.url else requirement


def _is_meant(requirement: Requirement) -> bool:
    """Whether it is for this system and Python; raises UndefinedEnvironmentName for a marker that builds have not."""
    return requirement.marker is None or requirement.marker.evaluate()


def _is_here(text: str) -> bool:
    try:
        requirement = Requirement(text)
        if not _is_meant(requirement):
            return True
        return requirement.specifier.contains(importlib.metadata.version(requirement.name), prereleases=True)
    except (InvalidRequirement, UndefinedEnvironmentName, importlib.metadata.PackageNotFoundError):
        return False
