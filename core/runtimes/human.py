"""The `human` runtime: the delegation becomes a question, and the branch's commits are the answer.

apm reads what was committed, never what was claimed: "done" without a commit is asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.agents.bench import Bench
from core.agents.runners import how_to_name, runner_of
from core.agents.verification import HOW
from core.contract import AgentRequest, AgentResponse, Json, failed, succeeded
from core.projects import git
from core.projects.own_work import files_of, own_base
from core.runtimes.base import Ask, WaitsForHuman
from core.sanitise import one_line
from core.store.rows import AgentRow

DONE = "done"
ALL_DONE = "all"
STOP = "stop"

_WORK = {
    "code-implementer": ("the code", "production code"),
    "test-implementer": ("the tests", "tests"),
}


class HumanRuntime:
    """Asks a person to do the step on the work item's branch.

    `context["human"]`, put there by the engine, is {"since": commit the question was asked at, "option", "reason",
    "by"} once the question is answered; without it the question is raised. In a later round `context["since"]` is the
    commit that was judged: whoever has already mended it on the branch is not asked again.
    """

    name = "human"

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        if bench.worktree is None:
            return failed(
                agent.role,
                "this work item has no project, so there is no branch to commit on",
                suggestion="Create it again with --project NAME.",
            )
        answer: Json = request.context.get("human", {})
        since = str(answer.get("since") or request.context.get("since") or await git.head(bench.worktree))
        own = await git.commits(bench.worktree, await own_base(bench.worktree, request.context["project"]))
        after = set((await git.git(bench.worktree, "rev-list", f"{since}..HEAD")).split())
        found = [commit for commit in own if commit.sha in after]
        if found and (answer or request.context.get("round", 1) > 1):
            return await self._from_commits(request, agent, bench.worktree, found)
        if own and answer.get("option") == ALL_DONE:
            return await self._from_commits(request, agent, bench.worktree, own)
        note = f" No commit has been added since {since[:10]}." if answer else ""
        proof = await _what_proves(request, bench.worktree)
        raise WaitsForHuman(self._ask(request, agent, bench, since, note, proof))

    async def _from_commits(
        self, request: AgentRequest, agent: AgentRow, worktree: Path, found: Sequence[git.Commit]
    ) -> AgentResponse:
        files = sorted({path for commit in found for path in await files_of(worktree, commit.sha)})
        return succeeded(
            agent.role,
            {
                "task": request.context.get("task", {}).get("id", ""),
                "commits": [c.sha for c in found],
                "files": files,
                "summary": one_line("; ".join(c.subject for c in found), 400),
                "verifies": {},
            },
        )

    def _ask(self, request: AgentRequest, agent: AgentRow, bench: Bench, since: str, note: str, proof: str) -> Ask:
        task: Json = request.context.get("task", {})
        branch = request.context["project"]["branch"]
        what, kind = _WORK.get(agent.role, ("the work", "work"))
        missing = tuple(one_line(str(m)) for m in request.context.get("missing", ()))
        title = one_line(str(task.get("title", "")))
        named = title if title.endswith((".", "!", "?", "…")) else f"{title}."
        return Ask(
            question=f"Write {what} of {task.get('id', 'the task')} on {branch}: {named}{note}",
            options=(
                {
                    "key": DONE,
                    "label": "It is committed",
                    "consequence": f"apm reads the commits on {branch} and goes on.",
                },
                {
                    "key": ALL_DONE,
                    "label": "Everything is committed",
                    "consequence": "Code and tests of every task: apm asks no more in this round.",
                },
                {"key": STOP, "label": "Stop this work item", "consequence": "It is cancelled.", "ends": True},
            ),
            recommended=DONE,
            details={
                "branch": branch,
                "worktree": str(bench.worktree),
                "commit": since,
                "task": task,
                "kind": kind,
                "criteria": request.context.get("criteria", []),
                "proof": proof,
            },
            missing=missing,
        )


async def _what_proves(request: AgentRequest, worktree: Path) -> str:
    """What R1 will take as proof of a criterion of the task, said before the tests are written; empty without any."""
    task: Json = request.context.get("task", {})
    all_of_them = [row.get("id") for row in request.context.get("criteria", ())]
    named = next((str(one) for one in (*task.get("criteria", ()), *all_of_them) if one), "")
    if not named:
        return ""
    test = how_to_name(named, await runner_of(request.context["project"], worktree))
    return f"R1 counts {named} once a passing test proves it: {HOW.format(id=one_line(named, 40), test=test)}"
