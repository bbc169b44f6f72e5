"""The runtime of agents that write code: a model asks for tools, each is carried out in the worktree, and one commit
stands at the end. Every answer and every result is on record before the next step, so that a kill costs one call."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from core.agents.bench import Bench
from core.agents.confined import place_around, sandbox_of
from core.contract import AgentRequest, AgentResponse, failed
from core.projects import git
from core.projects.governing import governing
from core.projects.sandbox import Sandbox
from core.projects.submodules import disarm
from core.projects.worktrees import Worktree, reset_to_commit
from core.redaction import Redactor, secrets_of
from core.runtimes.coding.confinement import Tree
from core.runtimes.coding.conversation import START, Conversation, read_record
from core.runtimes.coding.declared import declared
from core.runtimes.coding.limits import Limits, limits_of
from core.runtimes.coding.prompts import task_message
from core.runtimes.coding.task import Task
from core.runtimes.coding.workbench import Workbench
from core.runtimes.models.dialogue import Model, ModelFailed
from core.runtimes.models.material import Clean
from core.store.rows import AgentRow

ModelOf = Callable[[AgentRow], Model]
"""The model that an agent works with. Raises ApmError where there is none for it."""


class CodingRuntime:
    """Runs `code-implementer` and their like on any model. One delegation is one task and one commit.

    `workspace` is the folder whose team nobody here may change; `clean` takes secrets out of what a model is shown;
    without it, what this process's environment holds and what looks like one.
    """

    def __init__(
        self,
        name: str,
        model_of: ModelOf,
        *,
        workspace: Path | None = None,
        sandbox: Sandbox | None = None,
        clean: Clean | None = None,
    ) -> None:
        self.name = name
        self._model_of, self._workspace = model_of, workspace
        self._clean = clean or Redactor(secrets_of(os.environ)).text
        self._sandbox = sandbox or Sandbox()

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        """Raises OverBudget and Unavailable as the model does; then the worktree stands as it was left."""
        if bench.worktree is None:
            return failed(
                agent.role,
                "this work item has no project, so there is no branch to commit on",
                suggestion="Create it again with --project NAME.",
            )
        limits, began = limits_of(agent.parameters), time.monotonic()
        task = await self._task(request, agent, bench, limits)
        try:
            async with asyncio.timeout(limits.seconds) as clock:
                response = await task.carry_out()
        except TimeoutError:
            if not clock.expired():
                raise
            response = await task.give_up(f"the task took longer than its limit of {limits.seconds:g} s")
        except ModelFailed as error:
            response = failed(agent.role, str(error), **await task.metadata())
        seconds = round(time.monotonic() - began, 3)
        return AgentResponse(
            agent.role, response.output_artifact, response.status, {**response.metadata, "seconds": seconds}
        )

    async def _task(self, request: AgentRequest, agent: AgentRow, bench: Bench, limits: Limits) -> Task:
        """The task where it stands: from a clean worktree at first, and where the record ends after a kill."""
        project, worktree = request.context["project"], bench.tree()
        tree = Tree(worktree, governing(Path(project["path"]), self._workspace))
        commands = declared(project, worktree, limits.command_seconds)
        record = read_record(await bench.session.turns())
        tree.clear()
        await disarm(worktree)
        if not record.head:
            await reset_to_commit(Worktree(worktree, project["branch"], project["base_commit"]))
            record.head = await git.head(worktree)
            await bench.session.keep(START, {"head": record.head})
        place = await place_around(project, worktree, bench.scratch)
        places = tuple(filter(None, (worktree, bench.releases, bench.scratch, self._workspace)))
        opening = await asyncio.to_thread(task_message, request, self._clean, places)
        return Task(
            name=self.name,
            request=request,
            agent=agent,
            session=bench.session,
            model=self._model_of(agent),
            limits=limits,
            bench=Workbench(tree, self._clean, limits, commands, sandbox_of(project, self._sandbox), place),
            record=record,
            talk=Conversation(opening, limits.history_characters, limits.turns),
        )
