"""One task from its first question to its commit. What is on record is taken as it stands and not done again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from core.agents.session import Session
from core.contract import AgentRequest, AgentResponse, Json, blocked, failed, succeeded
from core.projects.worktrees import Worktree, reset_to_commit
from core.runtimes import committing
from core.runtimes.coding import branching, prompts
from core.runtimes.coding.confinement import Refused
from core.runtimes.coding.conversation import (
    END,
    INTENT,
    REPLY,
    TOOLS,
    Conversation,
    Exchange,
    Record,
    reply_content,
)
from core.runtimes.coding.limits import Limits
from core.runtimes.coding.tools import DONE, allowed, mistake, schemas
from core.runtimes.coding.workbench import CHANGES, Outcome, Workbench
from core.runtimes.committing import Author
from core.runtimes.models.dialogue import Model, Prompt
from core.sanitise import one_line
from core.store.rows import AgentRow

MOST_EVIDENCE = 20
MOST_DECISIONS = 10
MOST_MISSING = 20
TEXT_CHARACTERS = 1_000
_STOPPED = {
    "refusal": "the model refused to do this task",
    "model_context_window_exceeded": "the task became longer than the model can read",
}
_DECISION_KEYS = ("kind", "domain", "question", "impact", "options", "recommended", "topic", "blocks")


@dataclass
class Task:
    """A delegation at work. `record` is what an interrupted execution left, `talk` the dialogue so far."""

    name: str
    request: AgentRequest
    agent: AgentRow
    session: Session
    model: Model
    limits: Limits
    bench: Workbench
    record: Record
    talk: Conversation
    evidence: list[Json] = field(default_factory=list)
    empty_ends: int = 0
    """How often the model has ended the task with nothing changed."""

    async def carry_out(self) -> AgentResponse:
        """The answer to the delegation. Raises what the model raises."""
        system, tools = prompts.system_prompt(self.agent), allowed(self.agent.tools)
        told = schemas(tools, self.bench.commands.by_name)
        for exchange in self.record.exchanges:
            response = await self._take_up(exchange)
            if response is not None:
                return response
        while True:
            if self.talk.turns >= self.limits.turns:
                return await self.give_up(f"the task was not done after {self.limits.turns} answers of the model")
            if self.talk.fruitless >= self.limits.fruitless:
                return await self.give_up(f"{self.talk.fruitless} answers in a row held nothing that could be done")
            prompt = Prompt(system, tuple(self.talk.messages), told, self._choice(), None, self.limits.output_tokens)
            reply = await self.model.ask(prompt, self.session)
            await self.session.keep(REPLY, reply_content(reply))
            response = await self._take_up(Exchange(reply))
            if response is not None:
                return response

    def _choice(self) -> Json | None:
        """Whether a tool is forced: on servers whose models write about calls instead of making them, and on any model
        that was told so once in vain. Elsewhere it would keep a model from thinking first."""
        forced = not self.model.holds_to_shapes or self.talk.fruitless > 1
        return {"type": "any"} if forced else None

    async def give_up(self, error: str) -> AgentResponse:
        """A failure that leaves the branch as it was; what was written is on record, as diffs."""
        metadata = await self.metadata()
        await self._end()
        hint = f"Make the task smaller, or raise the `limits` of {self.agent.role} in agents.yaml."
        return failed(self.agent.role, error, suggestion=hint, **metadata)

    async def metadata(self) -> Json:
        """What this task used, for the journal."""
        usage, talk = self.talk.usage, self.talk
        found: Json = {
            "runtime": self.name,
            "model": talk.models[-1] if talk.models else self.model.name,
            "provider": self.model.provider,
            "tokens": usage.tokens,
            "cache_read": usage.cache_read,
            "turns": talk.turns,
            "request_ids": list(talk.request_ids),
            "sandbox": await self.bench.sandbox.kind(),
            "tool": "apm",
            "evidence": self.evidence[-MOST_EVIDENCE:],
        }
        return found if usage.dollars is None else {**found, "cost": usage.dollars}

    async def _take_up(self, exchange: Exchange) -> AgentResponse | None:
        """Carry out what an answer asks for, as far as that is not on record; the response when it was the last."""
        reply = exchange.reply
        self.talk.replied(reply)
        if reply.stop_reason in _STOPPED:
            return await self.give_up(_STOPPED[reply.stop_reason])
        if not reply.tool_calls:
            self.talk.told(prompts.CUT_OFF if reply.stop_reason == "max_tokens" else prompts.NO_CALL)
            return None
        results = []
        for number, call in enumerate(reply.tool_calls):
            known = exchange.results.get(number)
            outcome: Outcome | AgentResponse
            if known is not None:
                outcome = Outcome(str(known["text"]), bool(known["failed"]), known.get("evidence"))
            else:
                outcome = await self._answered(number, call, exchange)
                if isinstance(outcome, AgentResponse):
                    return outcome
                await self._keep_result(number, call, outcome)
            self._count(number, call, outcome, exchange, known is not None)
            results.append((str(call["id"]), outcome.text, outcome.failed))
        self.talk.answered(results)
        return None

    async def _keep_result(self, number: int, call: Json, outcome: Outcome) -> None:
        content: Json = {"call": number, "name": str(call["name"]), "text": outcome.text, "failed": outcome.failed}
        if outcome.evidence is not None:
            content["evidence"] = outcome.evidence
        await self.session.keep(TOOLS, content)

    def _count(self, number: int, call: Json, outcome: Outcome, exchange: Exchange, on_record: bool) -> None:
        """Take into account what a result, on record or new, says about the task so far."""
        if outcome.evidence is not None:
            self.evidence.append(outcome.evidence)
            self.bench.ledger.commands += on_record
        if on_record and number in exchange.intents:
            self._note_change(exchange.intents[number])
        if call["name"] == DONE and outcome.text == prompts.NOTHING_CHANGED:
            self.empty_ends += 1

    def _note_change(self, intent: Json) -> None:
        self.bench.ledger.paths |= intent["after"].keys()
        self.bench.ledger.written += int(intent["bytes"])

    async def _answered(self, number: int, call: Json, exchange: Exchange) -> Outcome | AgentResponse:
        """Carry out one call. A call that is not as it should be is answered with what is wrong with it."""
        name, given = str(call["name"]), call["input"]
        tools = allowed(self.agent.tools)
        if exchange.reply.stop_reason == "max_tokens":
            return Outcome(prompts.CUT_OFF, failed=True)
        if name not in tools:
            return Outcome(f"There is no tool {one_line(repr(name), 60)}; there are {', '.join(tools)}.", failed=True)
        wrong = mistake(tools[name], given)
        if wrong:
            return Outcome(wrong, failed=True)
        self.session.show(one_line(f"{name} {given.get('path') or given.get('command') or given.get('pattern') or ''}"))
        try:
            if name == DONE:
                return await self._finish(given)
            if name in CHANGES:
                return await self._changed(number, name, given, exchange)
            return await self._looked(name, given)
        except Refused as error:
            return Outcome(self.bench.clean(str(error)), failed=True)

    async def _looked(self, name: str, given: Json) -> Outcome:
        bench = self.bench
        acts = {"list": bench.list_files, "read": bench.read, "search": bench.search, "run": bench.run}
        return await acts[name](given)

    async def _changed(self, number: int, name: str, given: Json, exchange: Exchange) -> Outcome:
        """Do a change that is on record before it happens. After a kill, the files themselves say whether it did."""
        intent = exchange.intents.get(number)
        if intent is not None:
            self._note_change(intent)
            now = await asyncio.to_thread(self.bench.standing, intent["before"])
            if now == intent["after"]:
                return Outcome(str(intent["told"]))
            if now != intent["before"]:
                return Outcome(prompts.INTERRUPTED, failed=True)
        change = await self.bench.planned(name, given)
        if intent is None:
            content = {"call": number} | change.intent()
            await self.session.keep(INTENT, content)
            self._note_change(content)
        elif change.after != intent["after"]:
            # What is on record has its secrets taken out, so it is not what was to be written.
            return Outcome(prompts.INTERRUPTED, failed=True)
        await asyncio.to_thread(self.bench.apply, change)
        return Outcome(change.told)

    async def _finish(self, given: Json) -> Outcome | AgentResponse:
        """Commit and answer, or say why the task cannot end like this."""
        worktree, author = self.bench.tree.root, self._author
        commits = await committing.own_commits(worktree, author, self.record.head)
        if commits:
            # Committed before a kill, and not answered yet.
            return await self._success(given, commits, [])
        missing = [one_line(entry, TEXT_CHARACTERS) for entry in given.get("missing", ()) if entry.strip()]
        if missing:
            return await self._blocked(missing[:MOST_MISSING], given)
        proofs = branching.proofs_of(given["verifies"], self._criteria())
        left_out = await branching.tidy(self.bench.tree, self.bench.ledger.paths)
        await branching.check_size(self.bench.tree, self.limits.written_bytes)
        summary = self.bench.clean(given["summary"])
        message = committing.message_of(author.subject(self._title()), summary, proofs)
        sha = await committing.commit(worktree, author, message)
        if sha is not None:
            return await self._success(given, [sha], left_out)
        standing = await committing.own_commits(worktree, author, self._base())
        if standing and self.request.context.get("round", 1) > 1:
            return await self._success(given, standing, left_out)
        if self.empty_ends:
            subject = author.task or "the task"
            return await self._blocked([f"a change for {subject}; the agent made none"], given)
        return Outcome(prompts.NOTHING_CHANGED, failed=True)

    async def _success(self, given: Json, commits: list[str], left_out: list[str]) -> AgentResponse:
        files = await committing.files_of(self.bench.tree.root, commits)
        output: Json = {
            "task": self._author.task,
            "commits": commits,
            "files": [one_line(path, 500) for path in files],
            "summary": one_line(self.bench.clean(given["summary"]), TEXT_CHARACTERS),
            "verifies": branching.proofs_of(given["verifies"], self._criteria()),
        }
        metadata = await self.metadata() | self._decisions(given)
        if left_out:
            metadata["left_out"] = [one_line(path, 500) for path in left_out[:MOST_MISSING]]
        return succeeded(self.agent.role, output, **metadata)

    async def _blocked(self, missing: list[str], given: Json) -> AgentResponse:
        metadata = await self.metadata() | self._decisions(given)
        await self._end()
        output: Json = {"task": self._author.task, "commits": [], "files": [], "verifies": {}}
        summary = one_line(self.bench.clean(given["summary"]), TEXT_CHARACTERS)
        clean = [self.bench.clean(entry) for entry in missing]
        return blocked(self.agent.role, output | {"summary": summary}, clean, summary, **metadata)

    async def _end(self) -> None:
        """Put the worktree to its branch's head. That the record is over stands first: a kill between begins anew."""
        await self.session.keep(END, {})
        project = self.request.context["project"]
        await reset_to_commit(Worktree(self.bench.tree.root, project["branch"], project["base_commit"]))

    def _decisions(self, given: Json) -> Json:
        raised: list[Any] = [d for d in given.get("decisions", ()) if d.get("question")][:MOST_DECISIONS]
        kept = [{key: d[key] for key in _DECISION_KEYS if key in d} for d in raised]
        return {"decisions": kept} if kept else {}

    @property
    def _author(self) -> Author:
        return Author.of(self.request, self.agent)

    def _criteria(self) -> list[str]:
        return [str(row["id"]) for row in self.request.context.get("criteria") or ()]

    def _title(self) -> str:
        context = self.request.context
        return str(context.get("task", {}).get("title") or context["work_item"].get("title") or "work")

    def _base(self) -> str:
        return str(self.request.context["project"]["base_commit"])
