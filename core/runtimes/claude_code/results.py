"""How a run came out: each end that Claude Code knows has one answer here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.agents.session import OverBudget
from core.contract import AgentRequest, AgentResponse, Json, failed, succeeded
from core.runtimes.base import Unavailable
from core.runtimes.claude_code.watching import Watch
from core.runtimes.claude_code.words import output_of
from core.runtimes.committing import Author, check_branch, commit, files_of, message_of, own_commits
from core.sanitise import one_line
from core.store.rows import AgentRow

_TRY_AGAIN_SECONDS: Mapping[int, float] = {401: 600.0, 402: 900.0, 403: 600.0, 408: 30.0, 429: 120.0}
_SERVER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that ended with a result. `dollars` was its cap, `before` what the session had cost until then."""

    session: str
    since: str
    watch: Watch
    dollars: float
    before: float


async def conclude(request: AgentRequest, agent: AgentRow, worktree: Path, outcome: Outcome) -> AgentResponse:
    """The response; raises Unavailable and OverBudget where the run can go on later."""
    result, known = outcome.watch.result, _metadata(outcome)
    if not result.is_error:
        return await _succeeded(request, agent, worktree, outcome, known)
    why = one_line("; ".join(result.errors or ()) or str(result.result or result.subtype), 500)
    status = result.api_error_status
    if status is not None and (status in _TRY_AGAIN_SECONDS or status >= 500):
        raise Unavailable("Claude Code", why, _TRY_AGAIN_SECONDS.get(status, _SERVER_SECONDS))
    if result.subtype == "error_max_budget_usd":
        spent = float(result.total_cost_usd or 0.0) - outcome.before
        budget = {"scope": "delegation", "unit": "dollars", "limit": outcome.dollars, "spent": spent, "needed": 0.0}
        raise OverBudget(f"Claude Code has spent ${spent:.4f} of the ${outcome.dollars:.4f} it may spend.", budget)
    if result.subtype == "error_max_turns":
        suggestion = (
            "Try again to let it go on from there, or give the agent more `turns` under its `limits` in agents.yaml."
        )
        return failed(agent.role, f"Claude Code came to no end: {why}", suggestion=suggestion, **known)
    return failed(agent.role, f"Claude Code failed: {why}", **known)


async def _succeeded(
    request: AgentRequest, agent: AgentRow, worktree: Path, outcome: Outcome, known: Json
) -> AgentResponse:
    summary, verifies = output_of(str(outcome.watch.result.result or ""))
    task: Json = request.context.get("task", {})
    author = Author.of(request, agent)
    await check_branch(worktree, str(request.context["project"]["branch"]))
    await commit(worktree, author, message_of(author.subject(str(task.get("title") or summary)), summary))
    commits = await own_commits(worktree, author, outcome.since, by_name=True)
    files = await files_of(worktree, commits)
    output = {"task": task.get("id", ""), "commits": commits, "files": files, "summary": summary, "verifies": verifies}
    return succeeded(agent.role, output, **known)


def _metadata(outcome: Outcome) -> Json:
    """Figures of the whole session, whoever interrupted it: the delegation's, not the last run's."""
    result, watch = outcome.watch.result, outcome.watch
    models: Mapping[str, Any] = result.model_usage or {}
    counted = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
    tokens = sum(int(figures.get(name) or 0) for figures in models.values() for name in counted)
    return {
        "model": watch.model,
        "tokens": tokens or watch.used.tokens,
        "cost": float(result.total_cost_usd or 0.0),
        "session": outcome.session,
        "turns": int(result.num_turns),
        "permission_denials": watch.denials,
    }
