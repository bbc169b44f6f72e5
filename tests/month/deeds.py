"""What happens in the month, one value a deed. `at` is a moment in milliseconds; `ask` and the like are the story's
own names for things, which the product never sees."""

from __future__ import annotations

from dataclasses import dataclass

PROPOSED, OTHER = "as-proposed", "another-way"
"""The two answers that every question of the story takes; the first is the recommended one."""
HUMAN = "ada"


@dataclass(frozen=True, slots=True)
class Ask:
    """An agent comes to a choice. `again` names the ask whose question, word for word, it puts once more."""

    at: int
    name: str
    agent: str
    kind: str
    impact: int
    question: str
    tags: tuple[str, ...] = ()
    again: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """An agent asks for a permission that is of use for `within` milliseconds only; `otherwise` is the answer that
    time gives then, "" where it gives none and the question expires."""

    at: int
    name: str
    agent: str
    question: str
    within: int
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    at: int
    ask: str
    option: str = PROPOSED
    reason: str = ""
    by: str = HUMAN


@dataclass(frozen=True, slots=True)
class Undo:
    """The answer in force is taken back; the question waits again."""

    at: int
    ask: str
    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    at: int
    ask: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Snooze:
    at: int
    ask: str
    until: int


@dataclass(frozen=True, slots=True)
class HandOver:
    at: int
    ask: str
    to: str


@dataclass(frozen=True, slots=True)
class Merge:
    """The question of `ask` goes into that of `into`."""

    at: int
    ask: str
    into: str


@dataclass(frozen=True, slots=True)
class Reverse:
    """A person takes back what an agent decided itself."""

    at: int
    ask: str
    reason: str


@dataclass(frozen=True, slots=True)
class Differ:
    """Two domain agents want different things. `winner` is who prevails by a rule, "" where a person is asked."""

    at: int
    name: str
    between: tuple[str, str]
    topic: str
    winner: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settle:
    """The person's answer to a conflict."""

    at: int
    conflict: str
    winner: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Judge:
    """A person's word on the undecided scope proposal of that agent, subject and change."""

    at: int
    word: str
    """"approve", "reject" or "clarify"."""
    agent: str
    subject: str
    change: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChangeSop:
    """Somebody rewrites an agent's SOP in agents.yaml."""

    at: int
    agent: str
    line: str


@dataclass(frozen=True, slots=True)
class Review:
    """A scope review that a person asks for, beside those of the schedule."""

    at: int


Deed = (
    Ask
    | Request
    | Answer
    | Undo
    | Acknowledge
    | Snooze
    | HandOver
    | Merge
    | Reverse
    | Differ
    | Settle
    | Judge
    | ChangeSop
    | Review
)
