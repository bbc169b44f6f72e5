"""A model that answers by a script, a session that is cut off, and a worktree of a real repository to work in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.agents.bench import Bench
from core.agents.session import Alone, Session, Turn, Usage
from core.contract import AgentRequest, AgentResponse, Json
from core.projects import git, worktrees
from core.projects.sandbox import Sandbox
from core.runtimes.coding.loop import CodingRuntime
from core.runtimes.models.dialogue import Model, Prompt, Reply
from core.store.rows import AgentRow
from tests.unit.agent_rows import agent_row
from tests.unit.git_project import commit

TOOLS = ["read", "search", "edit", "write", "run"]
FILES = {"src/app.py": "def one():\n    return 1\n", "README.md": "A project.\n"}
SPENT = Usage(input=100, output=20, dollars=0.25)


def call(name: str, **given: Any) -> Json:
    return {"type": "tool_use", "id": f"call-{name}", "name": name, "input": given}


def says(*blocks: Json, stop: str = "tool_use") -> Reply:
    return Reply(blocks, stop, SPENT, "scripted-1", "request-1")


def done(**given: Any) -> Reply:
    return says(call("done", **({"summary": "It is done.", "verifies": {}} | given)))


@dataclass
class ScriptedModel:
    """Gives the answer that comes next in the dialogue it is shown. `prompts` are those that it was asked."""

    script: Sequence[Reply | Exception]
    prompts: list[Prompt] = field(default_factory=list)
    provider: str = "scripted"
    name: str = "scripted-1"
    holds_to_shapes: bool = True

    async def ask(self, prompt: Prompt, session: Session) -> Reply:
        place = sum(message["role"] == "assistant" for message in prompt.messages)
        self.prompts.append(replace(prompt, messages=tuple(dict(message) for message in prompt.messages)))
        answer: Reply | Exception = self.script[min(place, len(self.script) - 1)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def results(self) -> list[Json]:
        """Every tool result that the model was shown last."""
        blocks = [b for m in self.prompts[-1].messages if m["role"] == "user" for b in m["content"]]
        return [block for block in blocks if block["type"] == "tool_result"]


class Cut(Exception):
    """The process was killed here."""


@dataclass
class CutSession(Alone):
    """Breaks off at the nth turn that is kept: before it is on record, or right after."""

    at: int = 0
    afterwards: bool = False
    seen: int = 0

    async def keep(self, kind: str, content: Json) -> Turn:
        self.seen += 1
        if self.seen == self.at and not self.afterwards:
            raise Cut
        turn = await super().keep(kind, content)
        if self.seen == self.at:
            raise Cut
        return turn


@dataclass
class Place:
    """A project with a work item's worktree."""

    home: Path
    tree: worktrees.Worktree
    settings: Json
    workspace: Path | None = None

    @classmethod
    async def make(cls, home: Path, files: dict[str, str] | None = None, **settings: Any) -> Place:
        commit(home / "project", FILES | (files or {}))
        (home / "scratch").mkdir()
        tree = await worktrees.ensure(home / "project", home / "trees", 7, "A title", "main")
        return cls(home, tree, {"test": ["true"], **settings})

    def request(self, **context: Any) -> AgentRequest:
        told = {
            "work_item": {"id": 7, "title": "A title", "type": "feature", "tags": [], "impact": 3},
            "project": {
                "id": 1,
                "name": "project",
                "path": str(self.home / "project"),
                "target": "main",
                "branch": self.tree.branch,
                "base_commit": self.tree.base_commit,
                "settings": self.settings,
                "tech": {},
                "environment": str(self.home / "environment"),
            },
            "task": {"id": "T1", "title": "Return two", "criteria": ["AC1"]},
            "criteria": [{"id": "AC1", "text": "one() gives 2."}],
        }
        return AgentRequest("implementation-orch", {"type": "plan.work"}, told | context, "code")

    async def execute(
        self,
        model: Model,
        session: Session | None = None,
        *,
        request: AgentRequest | None = None,
        sandbox: Sandbox | None = None,
        **row: Any,
    ) -> AgentResponse:
        sandbox = sandbox or Sandbox("no-such-program")
        runtime = CodingRuntime("anthropic", lambda _: model, workspace=self.workspace, sandbox=sandbox)
        bench = Bench(self.tree.path, self.home, self.home / "scratch", session or Alone())
        return await runtime.execute(request or self.request(), self.agent(**row), bench)

    def agent(self, **row: Any) -> AgentRow:
        return agent_row("code-implementer", **({"sop_content": "Write code.", "tools": TOOLS, "parameters": {}} | row))

    async def commits(self) -> tuple[git.Commit, ...]:
        return await git.commits(self.tree.path, self.tree.base_commit, "HEAD")

    async def tree_id(self) -> str:
        return (await git.git(self.tree.path, "rev-parse", "HEAD^{tree}")).strip()

    async def loose(self) -> tuple[tuple[str, str], ...]:
        return await git.status(self.tree.path)
