"""R1's four tool agents. Each measures the branch as it is committed, and hands on figures, places and evidence."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.agents.analysers import analyse
from core.agents.bench import Bench
from core.agents.committed import run_committed
from core.agents.runners import runner_of
from core.agents.security import screen
from core.agents.testing import TestRun
from core.agents.titles import titled_claims
from core.agents.verification import human_answers, named_claims, task_claims, trailer_claims, verify
from core.contract import AgentRequest, AgentResponse, Json, blocked, succeeded
from core.projects import git
from core.projects.own_work import own_base


async def test_runner(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Runs the project's tests with coverage. BLOCKED when they cannot be counted; failing tests are a result."""
    project, worktree = _place(request, bench)
    if worktree is None:
        return _homeless("test-runner")
    done = await run_committed(project, worktree, bench.scratch, coverage=True)
    metadata = {"tool": done.tool, "tool_version": done.tool_version, "evidence": list(done.evidence)}
    if not done.measured:
        return blocked("test-runner", test_output(done), [f"test results: {done.reason}"], done.suggestion, **metadata)
    return succeeded("test-runner", test_output(done), **metadata)


def test_output(done: TestRun) -> Json:
    """A test run as test-runner's output artifact."""
    return {
        "tests": {
            "total": done.total,
            "passed": done.passed,
            "failed": done.failed,
            "errors": done.errors,
            "skipped": done.skipped,
            "coverage": done.coverage,
            "reason": done.reason,
            "suggestion": done.suggestion,
        },
        "cases": [{"id": case, "outcome": outcome} for case, outcome in done.cases],
        "failures": [{"id": case, "text": text} for case, text in done.failures],
        "left_behind": list(done.left),
    }


async def static_analyzer(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Runs the project's analysers. BLOCKED when one that the project configures is not installed."""
    project, worktree = _place(request, bench)
    if worktree is None:
        return _homeless("static-analyzer")
    done = await analyse(project, worktree, bench.scratch, await own_base(worktree, project))
    metadata = {"tool": _names(done.payload["static"]["tools"]), "evidence": list(done.evidence)}
    if done.missing:
        return blocked("static-analyzer", done.payload, done.missing, done.suggestion, **metadata)
    return succeeded("static-analyzer", done.payload, **metadata)


async def threat_screener(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Runs bandit, a secrets scan and, where it can, pip-audit. BLOCKED when one of the first two broke."""
    project, worktree = _place(request, bench)
    if worktree is None:
        return _homeless("threat-screener")
    done = await screen(project, worktree, bench.scratch, await own_base(worktree, project))
    metadata = {"tool": _names(done.payload["security"]["tools"]), "evidence": list(done.evidence)}
    if done.missing:
        suggestion = "See the tool's evidence; mend the configuration or the file that stops it."
        return blocked("threat-screener", done.payload, done.missing, suggestion, **metadata)
    return succeeded("threat-screener", done.payload, **metadata)


async def ac_verifier(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Sets each acceptance criterion against the recorded test run. Unverified ones are a result, not a failure."""
    project, worktree = _place(request, bench)
    if worktree is None:
        return _homeless("ac-verifier")
    criteria = request.context.get("criteria") or []
    if not criteria:
        return blocked(
            "ac-verifier", {"criteria": []}, ["acceptance criteria"], "Give the work item criteria in Definition first."
        )
    head = await git.head(worktree, request.context.get("commit") or "HEAD")
    base = await own_base(worktree, project, head)
    ran = (request.context.get("results") or {}).get("test-runner") or {}
    cases = {row["id"]: row["outcome"] for row in ran.get("cases") or ()}
    claims = [
        *task_claims(request.input_artifact.get("tasks") or ()),
        *await named_claims(worktree, base, head, criteria),
        *await titled_claims(worktree, base, head, criteria, cases),
        *await trailer_claims(worktree, base, head),
    ]
    answers = human_answers((request.context.get("answers") or {}).get("criteria"))
    verdicts = await asyncio.to_thread(verify, criteria, claims, cases, answers, await runner_of(project, worktree))
    return succeeded("ac-verifier", {"criteria": verdicts}, tool="git, ast")


def _place(request: AgentRequest, bench: Bench) -> tuple[Json, Path | None]:
    project = request.context.get("project")
    return (project, bench.worktree) if project else ({}, None)


def _homeless(agent: str) -> AgentResponse:
    missing = ["a project with a worktree for this work item"]
    return blocked(agent, {}, missing, "Attach the work item to a project: apm project add PATH, then --project.")


def _names(tools: list[Json]) -> str:
    return ", ".join(row["name"] for row in tools)
