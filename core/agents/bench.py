"""Where an agent works. Beside its request and its row, this is all that an execution needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from core.agents.session import Alone, Session


@dataclass(frozen=True, slots=True)
class Bench:
    """Folders of one execution. All absolute; `scratch` and `releases` exist.

    `worktree` is the work item's own checkout (None while it has none), `releases` the project's folder for what a
    release leaves behind, `scratch` a folder of this work item for logs and reports that nobody keeps. `session` is
    this execution's own.
    """

    worktree: Path | None
    releases: Path
    scratch: Path
    session: Session = field(default_factory=Alone, compare=False)

    def with_session(self, session: Session) -> Bench:
        """The same folders for another execution."""
        return Bench(self.worktree, self.releases, self.scratch, session)

    def tree(self) -> Path:
        """The worktree, for an agent that cannot work without one; raises LookupError when there is none."""
        if self.worktree is None:
            raise LookupError("this work item has no project, so there is no worktree to work in")
        return self.worktree
