"""What a tool call may come to: allowed, refused, or an act that authority or a person decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.projects.governing import TEAM


@dataclass(frozen=True, slots=True)
class Allowed:
    """Part of the work that was asked for; nobody needs to be asked."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nobody can allow it; `reason` is a sentence for the model."""

    reason: str


@dataclass(frozen=True, slots=True)
class Act:
    """A decision of this kind and impact (1 to 10), as `agents.yaml` lists them; `what` says it in a line."""

    kind: str
    impact: int
    what: str


Verdict = Allowed | Refused | Act

IMPACTS = {
    "test_strategy": 3,
    "refactoring": 4,
    "new_dependency": 6,
    "run_command": 7,
    "external_service": 8,
    "security": 9,
    "data_removal": 9,
}
"""What an act of a kind weighs. `run_command` stands in no list of authority, so it always goes to a person."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call is made: the worktree, the folder that relative paths begin at, and the project's own commands.

    `readable` are folders beside the worktree that may be read, and not written; `governing` are paths relative to it
    that, with all below them, say who may decide what.
    """

    worktree: Path
    cwd: Path
    commands: tuple[tuple[str, ...], ...] = ()
    readable: tuple[Path, ...] = ()
    governing: tuple[str, ...] = TEAM


def act(kind: str, what: str) -> Act:
    return Act(kind, IMPACTS[kind], what)


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """The one that weighs most: a refusal, then the act of the highest impact, then what is allowed."""
    return max(verdicts, key=_weight, default=Allowed())


def _weight(verdict: Verdict) -> int:
    match verdict:
        case Refused():
            return 100
        case Act(impact=impact):
            return impact
    return 0
