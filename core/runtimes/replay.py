"""The `replay` runtime: plays recorded responses from a cassette, and says so in every one of them.

A cassette entry answers one role and subject, and holds what it was recorded for (`expects`): a request that asks
something else is refused with the difference, never answered with what does not fit.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, UsageError, failed, succeeded
from core.projects import git
from core.projects.worktrees import Worktree, reset_to_commit
from core.store.rows import AgentRow

FORMAT = 1


class ReplayRuntime:
    """Plays the cassette at `path`. Recorded edits become real commits in the work item's worktree."""

    name = "replay"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[tuple[str, str], Json] | None = None

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        task: Json = request.context.get("task", {})
        subject = str(task.get("id", ""))
        entry = self._load().get((agent.role, subject))
        if entry is None:
            return failed(
                agent.role,
                f"the cassette {self.path.name} holds no response of {agent.role} for {subject or 'this request'}",
                suggestion="Record one, or give the agent another runtime.",
            )
        difference = _difference(entry["expects"], _asked(request, task))
        if difference:
            return failed(agent.role, f"the cassette was recorded for another request: {difference}")
        commits, files = await self._commit(entry, request, agent, bench)
        output = {"task": subject, "commits": commits, "files": files, **entry["output"]}
        return succeeded(agent.role, output, replayed=self.path.name, **entry.get("metadata", {}))

    async def _commit(
        self, entry: Json, request: AgentRequest, agent: AgentRow, bench: Bench
    ) -> tuple[list[str], list[str]]:
        """Write the recorded edits and commit them, unless a killed run already did."""
        edits = entry.get("edits", [])
        if not edits:
            return [], []
        worktree = bench.tree()
        trailers = {
            "Apm-Work-Item": str(request.context["work_item"]["id"]),
            "Apm-Agent": agent.role,
            "Apm-Task": str(entry["subject"]),
        }
        base = str(request.context["project"]["base_commit"])
        for commit in await git.commits(worktree, base, "HEAD"):
            if all(commit.trailers.get(k) == v for k, v in trailers.items()):
                return [commit.sha], [str(e["path"]) for e in edits]
        project = request.context["project"]
        await reset_to_commit(Worktree(worktree, project["branch"], project["base_commit"]))
        for edit in edits:
            target = _inside(worktree, str(edit["path"]))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(str(edit["content"]), encoding="utf-8")
        message = "\n\n".join(p for p in (entry["commit"]["subject"], entry["commit"].get("body", "")) if p)
        sha = await git.add_all_and_commit(worktree, message, author=f"{agent.role} <apm@localhost>", trailers=trailers)
        return [sha] if sha else [], [str(e["path"]) for e in edits]

    def _load(self) -> dict[tuple[str, str], Json]:
        if self._entries is None:
            try:
                cassette = json.loads(self.path.read_text(encoding="utf-8"))
                entries = cassette["entries"]
                if cassette["format"] != FORMAT:
                    raise UsageError(f"{self.path} is a cassette of format {cassette['format']}, not {FORMAT}.")
                self._entries = {(e["role"], e["subject"]): e for e in entries}
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise UsageError(f"{self.path} is no cassette of recorded responses: {error}.") from error
        return self._entries


def _asked(request: AgentRequest, task: Json) -> Json:
    texts = {c["id"]: c["text"] for c in request.context.get("criteria", [])}
    return {"title": task.get("title"), "criteria": [texts.get(c, c) for c in task.get("criteria", [])]}


def _difference(expected: Json, asked: Json) -> str:
    for key, value in expected.items():
        if asked.get(key) != value:
            return f"{key} was {value!r}, now it is {asked.get(key)!r}"
    return ""


def _inside(worktree: Path, relative: str) -> Path:
    """The edit's path, refused where it would leave the worktree or enter .git."""
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or ".git" in path.parts:
        raise UsageError(f"The cassette edits {relative!r}, which is not inside the worktree.")
    target = worktree / path
    if not target.parent.resolve().is_relative_to(worktree.resolve()) or target.is_symlink():
        raise UsageError(f"The cassette edits {relative!r}, which leads out of the worktree.")
    return target
