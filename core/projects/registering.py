"""A git repository becomes a project of the workspace: looked at without touching it, then put on the record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.contract import Json, UsageError, canonical_json
from core.paths import real
from core.projects import git
from core.projects.settings import interpreter, validate
from core.store import reads, rows
from core.store.schema import Project
from core.store.transaction import Transaction

LONGEST_NAME = 64

_NAME = re.compile(r"[^\W_](?:[\w. -]*[\w-])?")
"""A name is also a folder under `state/`: it begins with a letter or digit and holds no separator."""


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What a repository says of itself."""

    name: str
    path: Path
    target: str
    tech: Json
    uncommitted: int
    """How many paths differ from HEAD. They stay as they are, and no work item sees them."""


async def examine(path: Path, *, name: str | None = None, target: str | None = None) -> ProjectFacts:
    """Look at a repository. Raises UsageError when it cannot be a project, saying why and what to do."""
    from core.projects.detection import detect

    path = real(path.expanduser())
    await _check_repository(path)
    await git.head(path)
    return ProjectFacts(
        name=checked_name(name if name is not None else name_of(path)),
        path=path,
        target=await _target(path, target),
        tech=await detect(path),
        uncommitted=len(await git.status(path)),
    )


async def _check_repository(path: Path) -> None:
    if not path.is_dir():
        raise UsageError(f"There is no folder {path}; name the top folder of a git repository.")
    if not await git.is_repository(path):
        if (path / ".git").exists():
            # git has its own reasons (another owner, a damaged file) and says them best.
            await git.root(path)
        raise UsageError(
            f"{path} is no git repository with a working tree. apm works on branches: run `git init` there and commit, "
            "then add it again."
        )
    top = await git.root(path)
    if real(top) != path:
        raise UsageError(f"{path} lies inside the repository {top}; add that one.")


async def _target(path: Path, target: str | None) -> str:
    chosen = target or await git.current_branch(path)
    if chosen is None:
        raise UsageError(f"{path} has no branch checked out; name the branch that releases merge into with --target.")
    if not await git.branch_exists(path, chosen):
        raise UsageError(f"{path} has no branch {chosen!r}; name one that exists with --target.")
    return chosen


def name_of(path: Path) -> str:
    """A project's name when nobody gives one: its folder's, without what a name cannot hold."""
    return re.sub(r"[^\w.-]+", "-", path.name).strip("-._")[:LONGEST_NAME] or "project"


def checked_name(name: str) -> str:
    """The name; raises UsageError for one that cannot be a folder's as well."""
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a project's name: up to {LONGEST_NAME} letters, digits, spaces, '.', '_' and '-', "
            "beginning with a letter or digit. Give one with --name."
        )
    return name


def add_project(tx: Transaction, facts: ProjectFacts, settings: Json) -> int:
    """Put a project on the record; its number. Raises UsageError for a path or name that another project has."""
    validate(settings)
    path = str(facts.path)
    for known in reads.projects(tx):
        if known.path == path:
            raise UsageError(
                f"{path} is the project {known.name!r} already; `apm project set {known.name!r}` changes its settings."
            )
        if known.name.casefold() == facts.name.casefold():
            raise UsageError(f"There is a project {known.name!r} already ({known.path}); give another --name.")
    number = tx.insert(
        Project,
        name=facts.name,
        path=path,
        target=facts.target,
        tech=canonical_json(facts.tech),
        settings=canonical_json(settings),
        created_at=tx.now,
    )
    tx.event("project.added", project=number, name=facts.name)
    return number


def change_project(
    tx: Transaction,
    project: rows.ProjectRow,
    *,
    settings: Mapping[str, Any],
    facts: ProjectFacts | None = None,
    thresholds: Mapping[str, Json] | None = None,
    by: str,
) -> None:
    """Change a project: a setting or threshold that is None is taken away, what is not named stays."""
    merged = _merged(project.settings, settings)
    validate(merged)
    values: Json = {
        "settings": canonical_json(merged),
        "thresholds": canonical_json(_merged(project.thresholds, thresholds or {})),
    }
    if facts is not None:
        values |= {"path": str(facts.path), "target": facts.target, "tech": canonical_json(facts.tech)}
    tx.update(Project, project.id, **values)
    tx.event("project.changed", project=project.id, by=by)


def _merged(before: Mapping[str, Any], changes: Mapping[str, Any]) -> Json:
    return {k: v for k, v in {**before, **changes}.items() if v is not None}


def check_interpreter(path: Path, settings: Mapping[str, Any]) -> None:
    """Raise UsageError when the settings name a Python that is not there."""
    named = settings.get("python")
    if named is None:
        return
    found = interpreter({"path": str(path), "settings": {"python": named}})
    if not found.is_file():
        raise UsageError(f"There is no Python interpreter at {found}; name one with --python.")
