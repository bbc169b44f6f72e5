"""One thing done to many questions: what would happen to each, before anything does; then doing it, batch by batch.

Each question is its own closure in the writer's queue: it takes what is done to it whole, or is left as it was,
whatever becomes of the others. The closures of a batch share one commit, so a thousand answers cost a few flushes of
the disk, and nobody else waits longer than one batch for the writer.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.contract import ApmError
from core.sanitise import one_line
from core.store import states
from core.store.rows import EscalationRow
from core.store.transaction import Transaction
from tui.questions.works import Work

BATCH = 100
"""Questions in one commit: the writer is held for about a tenth of a second."""
REASONS = 3
"""Reasons that one line names."""

Write = Callable[[Callable[[Transaction], Any]], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to one question. `group` says it in words, the same words for all that it is the same for."""

    row: EscalationRow
    group: str
    option: str = ""
    needs_reason: bool = False

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def ends(self) -> bool:
        """Whether it ends the work item."""
        return any(option["key"] == self.option and option.get("ends") for option in self.row.options)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A question that is left as it is, and why; `about` is what somebody knows it by."""

    id: int
    why: str
    about: str = ""


def about(row: EscalationRow) -> str:
    """What somebody knows a question by: the work item that it is about, and what is asked."""
    question = one_line(row.question, 80)
    return f"#{row.work_item} {one_line(row.title, 60)} · {question}" if row.title else f"{row.id} {question}"


@dataclass(frozen=True, slots=True)
class Done:
    """A step with its work, which was done and knows how it is taken back."""

    step: Step
    work: Work

    @property
    def id(self) -> int:
        return self.step.id


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a person does to many questions. `judge` says what it is for one, or why it cannot be."""

    title: str
    done: str
    """What has happened, after a number of questions: "answered"."""
    judge: Callable[[EscalationRow, int], Step | str]
    work: Callable[[Step, str], Work]
    """Given the step and the reason (which may be empty)."""
    undone: str = "as before"
    """What they are again once it is taken back."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen: steps and refusals in the order of the list."""

    deed: Deed
    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...]

    @property
    def needs_reason(self) -> int:
        return sum(step.needs_reason for step in self.steps)

    def of_group(self, words: str) -> list[Step]:
        """The steps of which these are the words."""
        return [step for step in self.steps if step.group == words]

    def groups(self) -> list[tuple[str, int, int]]:
        """The words of each group, how many it is, and how many of them need a reason; the largest first."""
        counted = Counter(step.group for step in self.steps)
        due = Counter(step.group for step in self.steps if step.needs_reason)
        return [(group, count, due[group]) for group, count in counted.most_common()]

    def refusal_groups(self) -> list[tuple[str, tuple[Refusal, ...]]]:
        """Why, and which; the largest group first."""
        return by_reason(self.refusals)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has come of a plan: done, refused by what is now the case, and not begun because somebody stopped it."""

    done: tuple[Done, ...] = ()
    failed: tuple[Refusal, ...] = ()
    left: tuple[int, ...] = ()


@dataclass
class Progress:
    """How far it has come; whoever sets `stop` ends it before the next batch."""

    of: int
    at: int = 0
    stop: bool = False
    seen: Callable[[], Any] = field(default=lambda: None)


def make_plan(
    deed: Deed, numbers: Sequence[int], found: Mapping[int, EscalationRow], marked: Mapping[int, str], now: int
) -> Plan:
    """What the deed does to each of these questions; `marked` has the digests that they had when they were marked."""
    steps: list[Step] = []
    refusals: list[Refusal] = []
    for number in numbers:
        row = found.get(number)
        judged = "no such question" if row is None else _judge(deed, row, marked.get(number), now)
        if isinstance(judged, Step):
            steps.append(judged)
        else:
            refusals.append(Refusal(number, judged, about(row) if row is not None else ""))
    return Plan(deed, tuple(steps), tuple(refusals))


def _judge(deed: Deed, row: EscalationRow, digest: str | None, now: int) -> Step | str:
    closed = _CLOSED.get(states.escalation_state(row, now))
    if closed is not None:
        return closed
    if digest is not None and digest != row.payload_digest:
        return "changed since it was marked: look at it again"
    return deed.judge(row, now)


_CLOSED = {
    "resolved": "answered already",
    "withdrawn": "withdrawn: nobody needs an answer any more",
    "expired": "expired",
    "merged": "merged into another question, which is answered for both",
}


async def do_plan(plan: Plan, reason: str, write: Write, progress: Progress) -> Outcome:
    """Do all that the plan takes, until it is done or stopped; the reason goes on record where one is due."""
    todo = [Done(step, plan.deed.work(step, reason)) for step in plan.steps]
    done, failed = await _in_batches(todo, lambda one: one.work, write, progress)
    return Outcome(tuple(done), tuple(failed), tuple(one.id for one in todo[progress.at :]))


async def take_back(done: Sequence[Done], write: Write) -> tuple[int, tuple[Refusal, ...]]:
    """Undo what was done, the last first: how many are as they were, and which could not be taken back."""
    taken, refused = await _in_batches(done[::-1], lambda one: one.work.back, write, Progress(len(done)))
    return len(taken), tuple(refused)


async def _in_batches(
    todo: Sequence[Done], work: Callable[[Done], Callable[[Transaction], Any]], write: Write, progress: Progress
) -> tuple[list[Done], list[Refusal]]:
    """A batch to a commit: what was done, and what was refused. `progress` says how far it came."""
    done: list[Done] = []
    refused: list[Refusal] = []
    while progress.at < len(todo) and not progress.stop:
        batch = todo[progress.at : progress.at + BATCH]
        came = await asyncio.gather(*(write(work(one)) for one in batch), return_exceptions=True)
        for one, result in zip(batch, came, strict=True):
            if isinstance(result, asyncio.CancelledError):
                raise result
            if isinstance(result, BaseException):
                refused.append(Refusal(one.id, _why(one.id, result), about(one.step.row)))
            else:
                done.append(one)
        progress.at += len(batch)
        progress.seen()
    return done, refused


def _why(number: int, error: BaseException) -> str:
    """The refusal as a part of a sentence, without the number that every one of them would begin with."""
    if not isinstance(error, ApmError):
        # A fault of the program: this question is as it was, and the others go on.
        return f"{type(error).__name__}: {one_line(str(error))}"
    return str(error).removeprefix(f"Escalation {number}").lstrip(":, ").strip().removesuffix(".")


def by_reason(refusals: Iterable[Refusal]) -> list[tuple[str, tuple[Refusal, ...]]]:
    """Refusals with the same reason together, the largest group first."""
    found: dict[str, list[Refusal]] = {}
    for refusal in refusals:
        found.setdefault(refusal.why, []).append(refusal)
    return sorted(((why, tuple(some)) for why, some in found.items()), key=lambda group: -len(group[1]))


def in_short(refusals: Iterable[Refusal]) -> str:
    """The reasons in one line, the most frequent first: "3 × answered already; 1 × expired"."""
    groups = by_reason(refusals)
    told = "; ".join(f"{len(some):,} × {one_line(why, 160)}" for why, some in groups[:REASONS])
    more = sum(len(some) for _, some in groups[REASONS:])
    return told + (f"; and {more:,} more" if more else "")
