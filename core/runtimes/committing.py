"""Commits in an agent's name: how they are signed, how they are found again, and what of their message counts.

A commit's trailers say whose work it is, and after a kill they say whether it was made: git is asked, not a memory.
What an agent writes about its work stands in the message as prose, so that none of it can be read as such a line.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.agents.confined import MAIL, TASK_TRAILER
from core.contract import AgentRequest, ApmError
from core.projects import git
from core.sanitise import one_line, sanitise
from core.store.rows import AgentRow

OWN_TRAILERS = ("Apm-Work-Item", "Apm-Agent", TASK_TRAILER)
SUBJECT_CHARACTERS = 72
SUMMARY_CHARACTERS = 2_000
_WIDTH = 76
_QUOTED = "> "
_LIKE_A_TRAILER = re.compile(r"[\w-]+\s*[:=#]|\(cherry picked", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Author:
    """Whose work a commit is, and on what. `replay` names the recording that it was played from."""

    work_item: str
    role: str
    task: str
    replay: str = ""

    @classmethod
    def of(cls, request: AgentRequest, agent: AgentRow, replay: str = "") -> Author:
        task = one_line(str(request.context.get("task", {}).get("id", "")), 64)
        return cls(str(request.context["work_item"]["id"]), agent.role, task, replay)

    @property
    def signature(self) -> str:
        return f"{self.role} <{MAIL}>"

    @property
    def trailers(self) -> dict[str, str]:
        own = dict(zip(OWN_TRAILERS, (self.work_item, self.role, self.task), strict=True))
        return own | ({"Apm-Replay": self.replay} if self.replay else {})

    def subject(self, title: str) -> str:
        """The first line of a commit on the task."""
        return one_line(f"{self.task}: {title}" if self.task else title, SUBJECT_CHARACTERS) or "Work"

    def wrote(self, commit: git.Commit, *, by_name: bool = False) -> bool:
        """Whether the commit is this agent's on this task, by its trailers.

        With `by_name` one without any of ours counts too when the agent is its author: so an agent signs that commits
        by itself.
        """
        trailers = self.trailers
        if by_name and not any(key in commit.trailers for key in trailers):
            return (commit.author, commit.email) == (self.role, MAIL)
        return all(commit.trailers.get(key, "") == value for key, value in trailers.items())


async def own_commits(worktree: Path, author: Author, since: str, *, by_name: bool = False) -> list[str]:
    """The author's commits after a commit, oldest first: what was done, whoever was killed after it."""
    found = await git.commits(worktree, since, "HEAD")
    return [commit.sha for commit in reversed(found) if author.wrote(commit, by_name=by_name)]


async def files_of(worktree: Path, commits: Sequence[str]) -> list[str]:
    """The paths that the commits touch."""
    found: set[str] = set()
    for sha in commits:
        found |= {path for _, path in await git.changed_files(worktree, f"{sha}^", sha)}
    return sorted(found)


async def check_branch(worktree: Path, branch: str) -> None:
    """Raises ApmError when another branch is checked out than the work item's."""
    there = await git.current_branch(worktree)
    if there != branch:
        what = f"the branch {one_line(there)}" if there else "no branch"
        raise ApmError(f"{worktree} has {what} checked out, not {branch}; check that one out again, then try again.")


async def commit(worktree: Path, author: Author, message: str, trailers: Mapping[str, str] | None = None) -> str | None:
    """Commit all that changed, in the author's name; None when nothing did. `trailers` stand beside the author's."""
    also = {key: value for key, value in (trailers or {}).items() if _NAME.fullmatch(key) and not _is_ours(key)}
    return await git.add_all_and_commit(worktree, message, author=author.signature, trailers=also | author.trailers)


def message_of(subject: str, summary: str, verifies: Mapping[str, Sequence[str]] | None = None) -> str:
    """What a commit says: a subject, the agent's summary, and a line for each criterion that tests prove."""
    proofs = [
        f"Verifies: {one_line(criterion, 64)} {one_line(', '.join(tests), 2_000)}"
        for criterion, tests in (verifies or {}).items()
        if tests
    ]
    return "\n\n".join(part for part in (subject, prose(summary), "\n".join(proofs)) if part)


def prose(text: str) -> str:
    """A text as lines of a commit message, none of which can be read as a trailer.

    A line that looks like one is quoted. Indented it would be none to git, but it would to whoever strips a text.
    """
    lines: list[str] = []
    for line in sanitise(text, limit=SUMMARY_CHARACTERS).splitlines():
        lines += textwrap.wrap(one_line(line, len(line)), _WIDTH, break_long_words=False, break_on_hyphens=False) or [
            ""
        ]
    shown = "\n".join(_QUOTED + line if _LIKE_A_TRAILER.match(line) else line for line in lines)
    return re.sub(r"\n{3,}", "\n\n", shown).strip("\n")


def _is_ours(key: str) -> bool:
    return key.lower().startswith("apm-")
