"""What a domain agent has done with its authority: counted from its decisions and conflicts, never graded by itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from peewee import fn

from core.contract import Json
from core.store.reads import Connection
from core.store.schema import Answer, Conflict, Decision


@dataclass(frozen=True, slots=True)
class Performance:
    """Counts since the workspace exists.

    `decided` were decided by the agent itself, `escalated` put to a person; of those `accepted` were answered by a
    person exactly as recommended. `reversed` were taken back by a person, whoever had decided.
    """

    decided: int
    escalated: int
    accepted: int
    reversed: int
    conflicts_won: int
    conflicts_lost: int

    def to_json(self) -> Json:
        return asdict(self)


def performance(reader: Connection, agent: str) -> Performance:
    own = Decision.agent == agent
    outcomes = dict(
        reader.rows(Decision.select(Decision.outcome, fn.COUNT(Decision.id)).where(own).group_by(Decision.outcome))
    )
    accepted = (
        Decision.select(fn.COUNT(fn.DISTINCT(Decision.id)))
        .join(Answer, on=(Answer.escalation == Decision.escalation))
        .where(
            own
            & (Decision.outcome == "escalated")
            & (Answer.provenance == "human")
            & Answer.undone_at.is_null()
            & ~Answer.late
            & (Answer.option == Decision.recommended)
            & (Answer.answer == "{}")
        )
    )
    reversed_ = Decision.select(fn.COUNT(Decision.id)).where(own & Decision.reverted_at.is_null(False))
    in_conflict = ((Conflict.first == agent) | (Conflict.second == agent)) & Conflict.winner.is_null(False)
    won = Conflict.select(fn.COUNT(Conflict.id)).where(in_conflict & (Conflict.winner == agent))
    lost = Conflict.select(fn.COUNT(Conflict.id)).where(in_conflict & (Conflict.winner != agent))
    return Performance(
        outcomes.get("decided", 0),
        outcomes.get("escalated", 0),
        *(int((reader.one(query) or (0,))[0]) for query in (accepted, reversed_, won, lost)),
    )
