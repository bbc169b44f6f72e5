"""What grows in `state/` beside the database, and by which rule it goes: one table, read by one function.

A thing goes when it is older than the rule's days, is not among the newest that the rule keeps of its folder, and
nothing that is still open needs it. Worktrees are not here: git knows what they hold, so they go when their work item
ends (`core.orchestration.drive`), and what a kill left when an engine starts (`core.projects.worktrees.prune`). Logs
keep their own limit (`core.log_files`); work items and their events are archived (`core.store.archiving`).
"""

from __future__ import annotations

import logging
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.store.reads import Connection, unfinished
from core.store.schema import Project
from core.store.transaction import MS_PER_DAY

logger = logging.getLogger(__name__)

Needed = Callable[[Connection], frozenset[str]]
"""The names that something open still needs."""


def nothing(_: Connection) -> frozenset[str]:
    return frozenset()


def work_in_hand(reader: Connection) -> frozenset[str]:
    return frozenset(str(number) for number, _ in unfinished(reader))


def known_projects(reader: Connection) -> frozenset[str]:
    found = reader.rows(Project.select(Project.name).where(Project.removed_at.is_null()))
    return frozenset({"no-project", *(str(name) for (name,) in found)})


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` is a glob below `state/`. Of each folder that it finds things in, the `newest` stay, and what was
    changed within `days`."""

    what: str
    pattern: str
    newest: int
    days: int
    needed: Needed = nothing


RULES: tuple[Rule, ...] = (
    Rule("databases from before a migration", "*-before-[0-9]*.db", newest=3, days=30),
    Rule("databases that a replay left when it was killed", "replay-*", newest=0, days=1),
    Rule("archives that were never finished", "archive-*.db.part*", newest=0, days=1),
    Rule("releases of a project", "releases/*/*/", newest=10, days=90),
    Rule("scratch of work that is over", "scratch/*/", newest=0, days=7, needed=work_in_hand),
    Rule("interpreters of projects that are gone", "environments/*/", newest=0, days=30, needed=known_projects),
    Rule("decisions that were applied", "inbox/applied/*", newest=200, days=90),
    Rule("decisions that were refused", "inbox/rejected/*", newest=200, days=90),
    Rule("briefings that were saved", "briefings/*.md", newest=100, days=365),
)


def to_prune(state: Path, reader: Connection, now: int) -> tuple[Path, ...]:
    """What the rules let go of at this moment (milliseconds since the epoch)."""
    return tuple(path for rule in RULES for path in _of_rule(state, rule, rule.needed(reader), now))


def _of_rule(state: Path, rule: Rule, needed: frozenset[str], now: int) -> Iterator[Path]:
    folders: dict[Path, list[tuple[float, Path]]] = {}
    for path in state.glob(rule.pattern):
        try:
            found = path.lstat()
        except FileNotFoundError:
            # Whoever made it has taken it away since.
            continue
        if not stat.S_ISLNK(found.st_mode):
            folders.setdefault(path.parent, []).append((found.st_mtime, path))
    oldest_kept = now / 1000 - rule.days * MS_PER_DAY / 1000
    for dated in folders.values():
        for changed, path in sorted(dated, reverse=True)[rule.newest :]:
            if changed < oldest_kept and path.name not in needed:
                yield path


def prune(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """Remove them, and say so in the log; those that are gone. What cannot be removed now is tried again next time."""
    gone = []
    for path in paths:
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("%s could not be removed: %s", path, error)
            continue
        gone.append(path)
    if gone:
        logger.info("%s things in state/ that nothing needs any more were removed", len(gone))
    return tuple(gone)
