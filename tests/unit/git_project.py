"""Small real projects for the tests of agents that read a repository: files on disk, commits in git."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Mapping
from pathlib import Path

from core.contract import Json

_IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")


def git(repo: Path, *args: str) -> str:
    argv = ["git", *_IDENTITY, *args]
    return subprocess.run(argv, cwd=repo, check=True, capture_output=True, text=True).stdout.strip()


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write dedented texts by path; an empty path part is made as a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


def commit(repo: Path, files: Mapping[str, str], message: str = "a change", *, remove: tuple[str, ...] = ()) -> str:
    """Write, remove and commit; the first call makes the repository. Returns the commit."""
    repo.mkdir(parents=True, exist_ok=True)
    if not (repo / ".git").exists():
        git(repo, "init", "-q", "-b", "main")
    write(repo, files)
    for name in remove:
        (repo / name).unlink()
    git(repo, "add", "-A", "-f")
    git(repo, "commit", "-q", "--allow-empty", "-m", message)
    return git(repo, "rev-parse", "HEAD")


def project(repo: Path, base: str = "", *, tech: Json | None = None, **settings: object) -> Json:
    """The `project` of a request's context for a repository that is its own worktree."""
    return {
        "id": 1,
        "name": repo.name,
        "path": str(repo),
        "target": "main",
        "branch": "main",
        "base_commit": base,
        "settings": settings,
        "tech": tech or {},
    }
