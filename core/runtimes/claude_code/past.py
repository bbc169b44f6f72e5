"""What earlier executions of the same delegation left on record, as the runtime needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.agents.session import Turn
from core.contract import Json, digest_of

SESSION, DEFERRED, ANSWERED, GRANTED, SPENT, EVENT = "session", "deferred", "answered", "granted", "spent", "event"
"""Kinds of turns. A session is begun, calls wait for a person, answers are used up, commands are allowed for good,
a run ends having cost something, and what is said meanwhile is an event."""


def about_of(tool_use_id: str, tool: str, given: Json) -> str:
    """What an answer is bound to: this call with exactly this input."""
    return digest_of({"tool_use_id": tool_use_id, "tool": tool, "input": given})


def act_of(tool: str, given: Json) -> str:
    """The same for every call that does exactly this; what the model says about it may differ."""
    return digest_of({"tool": tool, "input": {k: v for k, v in given.items() if k != "description"}})


@dataclass(frozen=True, slots=True)
class Past:
    """`session` is the last one begun (empty: none), `since` the commit at which the delegation began.

    `waiting` is the call that a person was asked about and that nothing has come of yet; `answered` maps each call
    whose answer was used to the option; `spent` are the dollars that the session had cost when it last ended by itself.
    """

    session: str = ""
    since: str = ""
    waiting: Json | None = None
    answered: Mapping[str, str] = field(default_factory=dict)
    granted: frozenset[str] = frozenset()
    spent: float = 0.0
    events: int = 0

    @classmethod
    def of(cls, turns: Sequence[Turn]) -> Past:
        session, since, waiting, spent, events = "", "", None, 0.0, 0
        answered: dict[str, str] = {}
        granted: set[str] = set()
        for turn in turns:
            match turn.kind:
                case "session":
                    session, since, waiting, spent = str(turn.content["id"]), str(turn.content["since"]), None, 0.0
                case "deferred":
                    waiting = turn.content
                case "answered":
                    answered[str(turn.content["about"])] = str(turn.content["option"])
                case "granted":
                    granted.add(str(turn.content["act"]))
                case "spent":
                    spent = float(turn.content["dollars"])
                case "event":
                    events += 1
        if waiting is not None and waiting["about"] in answered:
            waiting = None
        return cls(session, since, waiting, answered, frozenset(granted), spent, events)
