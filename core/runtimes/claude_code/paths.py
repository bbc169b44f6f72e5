"""Which files an agent's hands may touch. Links are followed before anything is decided."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from core.projects.governing import governs
from core.runtimes.claude_code.verdicts import Allowed, Place, Refused, Verdict, act
from core.sanitise import one_line

_SECRET = re.compile(
    r"\.env(\.(?!example$|sample$|template$|dist$)[^/]+)?|\.envrc|\.netrc|\.npmrc|\.pypirc|\.git-credentials|\.htpasswd"
    r"|id_(rsa|dsa|ecdsa|ed25519)(\.[^/]+)?|[^/]+\.(pem|key|p12|pfx|jks|keystore|kdbx)|credentials(\.[^/]+)?"
    r"|secrets?\.(ya?ml|json|toml|ini|env)"
)
_SECRET_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".password-store"})
_GIT = ".git"
_EXECUTED_LATER = re.compile(r"\.claude/.*|\.mcp\.json|\.github/workflows/.*|\.gitlab-ci\.yml|\.vscode/.*|\.husky/.*")
"""Files that other programs execute or obey without being asked, on the user's machine or with the user's rights."""


def reading(name: str, place: Place) -> Verdict:
    """Whether a file or folder may be read."""
    path = _resolved(name, place)
    if path is None:
        return Refused(f"{one_line(name)} is no path that can be read.")
    known = _inside(path, place) or any(path.is_relative_to(folder.resolve()) for folder in place.readable)
    return _secret(path) or (Allowed() if known else _outside(path))


def writing(name: str, place: Place) -> Verdict:
    """Whether a file may be made or changed."""
    path = _resolved(name, place)
    if path is None:
        return Refused(f"{one_line(name)} is no path that can be written.")
    shown = one_line(str(path))
    if not _inside(path, place):
        return Refused(f"{shown} lies outside of the worktree; write inside of it only.")
    if path.exists() and not path.is_file():
        return Refused(f"{shown} is no ordinary file.")
    relative = path.relative_to(place.worktree.resolve()).as_posix().casefold()
    if governs(relative, place.governing):
        return Refused(f"{shown} says who works here, what they may decide or what it costs; no agent changes it.")
    if _EXECUTED_LATER.fullmatch(relative):
        return act("security", f"write {relative}, which other programs obey unasked")
    return _secret(path) or Allowed()


def _resolved(name: str, place: Place) -> Path | None:
    """The path with every link in it followed; None for what no file system takes, or two programs read differently.

    A name that begins with `~` is somebody's home, so it begins at the root here: outside, wherever that is.
    """
    if not name or name != name.strip() or not name.isprintable():
        return None
    try:
        return ((Path("/") if name.startswith("~") else place.cwd) / name).resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _inside(path: Path, place: Place) -> bool:
    return path.is_relative_to(place.worktree.resolve())


def secrets_below(name: str, place: Place) -> Iterator[Path]:
    """The files in a folder, or the file itself, whose names say that they hold secrets; links are not followed."""
    path = _resolved(name, place)
    if path is None or _secret(path):
        return
    for folder, folders, files in os.walk(path):
        folders[:] = [one for one in folders if one != _GIT]
        yield from (Path(folder, one) for one in files if _secret(Path(folder, one)))


def _secret(path: Path) -> Verdict | None:
    parts = [part.casefold() for part in path.parts]
    shown = one_line(str(path))
    if _GIT in parts:
        return Refused(f"{shown} belongs to git; use git's own commands.")
    if _SECRET.fullmatch(parts[-1]) or not _SECRET_FOLDERS.isdisjoint(parts):
        return Refused(f"{shown} is where secrets are kept; work without it.")
    return None


def _outside(path: Path) -> Verdict:
    return act("run_command", f"read {one_line(str(path))}, which lies outside of the worktree")
