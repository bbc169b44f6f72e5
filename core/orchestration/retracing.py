"""Whose a commit is that no record names: made anew beside the branch, by the agent's own code, and compared.

The process can be killed between the commit of a release's agent and the record of its delegation. What is left then
is a commit whose trailer claims to be the agent's, which anybody can write. So the agent does its work once more from
the same parent, in a copy of the repository that is thrown away. A commit that came out with the same files to the
byte and the same message holds nothing but what the agent would put there, whoever made it.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import replace
from pathlib import Path

from core.agents.bench import Bench
from core.contract import ApmError, Json, Status
from core.orchestration.journal import Entry, Journal, Key
from core.orchestration.outcomes import RELEASE_AGENTS
from core.orchestration.requests import PhaseContext
from core.projects import git
from core.runtimes.functions import FunctionRuntime
from core.store import reads
from core.store.rows import AgentRow, PhaseRunRow

logger = logging.getLogger(__name__)

FOLDER = "retraced"
"""In the work item's scratch: the copy in which the agent works."""
REPEATABLE = ("tool", "offline")
"""Runtimes whose agents do the same when they are asked the same."""


def begun_agent(reader: reads.Connection, recorded: Journal, run: PhaseRunRow) -> AgentRow | None:
    """The agent that makes a commit, has begun to in this round of O1, and has no answer of it on record."""
    for role in RELEASE_AGENTS:
        key = Key(run.phase, run.round, role)
        if key in recorded.intended and recorded.get(key) is None:
            return reads.agent(reader, role)
    return None


def _answers(context: PhaseContext) -> dict[str, Entry]:
    """The newest answer of each agent that makes a commit, of those on record as a success."""
    found = sorted(context.position.journal.of_phase("O1"), key=lambda entry: entry.number)
    return {e.key.agent: e for e in found if e.key.agent in RELEASE_AGENTS and e.response.status is Status.SUCCESS}


async def left_commit(agent: AgentRow, context: PhaseContext, bench: Bench, recorded: frozenset[str]) -> str | None:
    """The commit at the branch's head, where it is the only one since the review that is not `recorded`, and is what
    the agent makes of the commit before it; else None."""
    tree, reviewed = bench.tree(), context.reviewed_commit
    if reviewed is None or agent.runtime not in REPEATABLE:
        return None
    commits = [commit.sha for commit in await git.commits(tree, reviewed, "HEAD")]
    if not commits or [sha for sha in commits if sha not in recorded] != commits[:1]:
        return None
    newest, parent = commits[0], [*commits, reviewed][1]
    if await _parents(tree, newest) != [parent]:
        return None
    copy = bench.scratch / FOLDER
    try:
        made = await _made_anew(agent, context, replace(bench, worktree=copy), tree, parent)
        return newest if made is not None and await _is_same(tree, newest, copy, made) else None
    except (ApmError, OSError) as error:
        # The review is made again then, which costs time and loses nothing.
        logger.warning("whether %s is a commit of %s cannot be found out: %s", newest[:12], agent.role, error)
        return None
    finally:
        await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)


async def _parents(tree: Path, commit: str) -> list[str]:
    return (await git.git(tree, "rev-parse", f"{commit}^@")).split()


async def _made_anew(agent: AgentRow, context: PhaseContext, bench: Bench, tree: Path, parent: str) -> str | None:
    """The commit that the agent makes of `parent` in the bench's worktree, a new repository; None where it makes
    none."""
    project = context.project or {}
    copy = bench.tree()
    await _copy(tree, copy, project, parent)
    step = next(step for step in context.spec.steps if step.agent == agent.role)
    results = {role: e.response.output_artifact for role, e in _answers(context).items()}
    request = context.request(step, results)
    await FunctionRuntime(agent.runtime).execute(request, agent, bench)
    made = await git.head(copy)
    return made if await _parents(copy, made) == [parent] else None


async def _copy(tree: Path, copy: Path, project: Json, parent: str) -> None:
    """A repository of its own with the branch at `parent`, the target and all tags; the objects stay where they are."""
    await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)
    await git.git(tree, "clone", "--quiet", "--shared", "--no-checkout", "--end-of-options", str(tree), str(copy))
    target = await git.head(tree, f"refs/heads/{project['target']}")
    await git.git(copy, "symbolic-ref", "HEAD", f"refs/heads/{project['branch']}")
    for branch, commit in ((project["target"], target), (project["branch"], parent)):
        await git.git(copy, "update-ref", f"refs/heads/{branch}", commit)
    await git.git(copy, "reset", "--quiet", "--hard")


async def _is_same(tree: Path, commit: str, copy: Path, made: str) -> bool:
    """Whether two commits have the same files and the same message; people and moments are their own."""
    form = ("show", "--no-patch", "--format=%T%n%B", "--end-of-options")
    return await git.git(tree, *form, commit) == await git.git(copy, *form, made)
