"""What an agent left in a work item's worktree, as commits: read from git, never claimed."""

from __future__ import annotations

from pathlib import Path

from core.contract import AgentRequest, ApmError
from core.projects import git
from core.sanitise import one_line
from core.store.rows import AgentRow

MAIL = "apm@localhost"


def trailers_of(request: AgentRequest, agent: AgentRow) -> dict[str, str]:
    """The lines by which a commit is known as this agent's work on this task."""
    return {
        "Apm-Work-Item": str(request.context["work_item"]["id"]),
        "Apm-Agent": agent.role,
        "Apm-Task": str(request.context.get("task", {}).get("id", "")),
    }


async def commit_task(
    worktree: Path, request: AgentRequest, agent: AgentRow, message: str, *, since: str | None = None
) -> tuple[list[str], list[str]]:
    """Commit what is not committed yet; (the task's commits, oldest first, the files that they change).

    The task's commits are those since `since` (without it: since the branch began) that carry its trailers or name
    the agent as their author: whoever asks again after a kill finds what was done before. Raises ApmError when
    another branch is checked out than the work item's.
    """
    branch, there = str(request.context["project"]["branch"]), await git.current_branch(worktree)
    if there != branch:
        what = f"the branch {one_line(there)}" if there else "no branch"
        raise ApmError(f"{worktree} has {what} checked out, not {branch}; check that one out again, then try again.")
    trailers = trailers_of(request, agent)
    await git.add_all_and_commit(worktree, message, author=f"{agent.role} <{MAIL}>", trailers=trailers)
    base = since or str(request.context["project"]["base_commit"])
    own = [c for c in await git.commits(worktree, base) if _is_own(c, agent, trailers)]
    files: set[str] = set()
    for commit in own:
        files |= {path for _, path in await git.changed_files(worktree, f"{commit.sha}^", commit.sha)}
    return [commit.sha for commit in reversed(own)], sorted(files)


def _is_own(commit: git.Commit, agent: AgentRow, trailers: dict[str, str]) -> bool:
    if any(key in commit.trailers for key in trailers):
        return all(commit.trailers.get(key, "") == value for key, value in trailers.items())
    return (commit.author, commit.email) == (agent.role, MAIL)
