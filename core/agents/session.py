"""What a running execution keeps, spends, asks and shows. A model's runtime needs it; a function of ours does not.

The engine's session writes to the journal and holds the budgets; `Alone` is for an execution that nobody keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from core.contract import ApmError, Json


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more model calls, and what they cost in US dollars; None where no price is known.

    `input` are tokens read at full price; what the provider's cache held or took is counted apart.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    dollars: float | None = 0.0

    @property
    def tokens(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write

    def __add__(self, other: Usage) -> Usage:
        unknown = self.dollars is None or other.dollars is None
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            None if unknown else (self.dollars or 0.0) + (other.dollars or 0.0),
        )


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a call may cost at most, taken from every budget it counts to before it is sent."""

    number: int
    tokens: int
    dollars: float | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One step of an execution that is on record: it is not done again after a restart. `number` counts from 1."""

    number: int
    kind: str
    content: Json


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left for this delegation under all budgets together; None where there is no limit."""

    tokens: int | None = None
    dollars: float | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether an act may go on. `rule` names the authority, the grant or the answer that said so."""

    allowed: bool
    rule: str


class OverBudget(ApmError):
    """A call that a budget has no room for: nothing was sent. The engine pauses the work item and asks."""

    def __init__(self, message: str, budget: Json) -> None:
        """`budget` is {"scope", "unit": "dollars" | "tokens", "limit", "spent", "needed"}."""
        super().__init__(message)
        self.budget = budget


class Session(Protocol):
    """One execution of one delegation. Every coroutine returns when what it says is durable."""

    @property
    def work_item(self) -> int: ...
    @property
    def phase(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def subject(self) -> str: ...

    async def turns(self) -> tuple[Turn, ...]:
        """What an earlier, interrupted execution of the same request has on record, in order."""

    async def keep(self, kind: str, content: Json) -> Turn:
        """Put a step on record; secrets are taken out before."""

    async def reserve(self, provider: str, model: str, *, tokens: int, dollars: float | None) -> Reservation:
        """Take the most that a call can cost from every budget. Raises OverBudget when one has no room."""

    async def settle(self, reservation: Reservation, usage: Usage, request_id: str = "") -> None:
        """The call has ended and used this; what it did not use is free again. With an empty Usage: it never ran."""

    async def allowance(self) -> Allowance:
        """What is left of all budgets together."""

    async def permit(self, kind: str, impact: int, what: str) -> Permission:
        """Whether the technical domain agent's authority lets an act of this decision kind go on without a person.

        `what` says the act in a line; both answers are on the record.
        """

    def show(self, line: str, usage: Usage | None = None) -> None:
        """Tell whoever looks on what is happening, and what the running call has used so far; not kept."""


@dataclass
class Alone:
    """The session of an execution outside of a journal: it keeps what it is told in memory and limits nothing."""

    work_item: int = 0
    phase: str = ""
    agent: str = ""
    subject: str = ""
    kept: list[Turn] = field(default_factory=list)
    used: Usage = field(default_factory=Usage)
    shown: list[str] = field(default_factory=list)
    allowed_kinds: frozenset[str] = frozenset()
    left: Allowance = field(default_factory=Allowance)

    async def turns(self) -> tuple[Turn, ...]:
        return tuple(self.kept)

    async def keep(self, kind: str, content: Json) -> Turn:
        self.kept.append(Turn(len(self.kept) + 1, kind, content))
        return self.kept[-1]

    async def reserve(self, provider: str, model: str, *, tokens: int, dollars: float | None) -> Reservation:
        return Reservation(0, tokens, dollars)

    async def settle(self, reservation: Reservation, usage: Usage, request_id: str = "") -> None:
        self.used += usage

    async def allowance(self) -> Allowance:
        return self.left

    async def permit(self, kind: str, impact: int, what: str) -> Permission:
        return Permission(kind in self.allowed_kinds, f"nobody but the caller decides {kind}")

    def show(self, line: str, usage: Usage | None = None) -> None:
        self.shown.append(line)
