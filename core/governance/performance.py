"""What a domain agent has done with its authority: counted from its decisions and conflicts, never graded by itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from peewee import fn

from core.contract import Json
from core.governance.cohorts import cohort_of
from core.governance.conflicts import BEFORE
from core.governance.scope.records import read_record
from core.store.reads import Connection
from core.store.schema import Conflict, Decision


@dataclass(frozen=True, slots=True)
class Performance:
    """Counts since the workspace exists: `decided` by the agent itself, `escalated` to a person, `reversed` by one.

    Only what the agent was for itself can be reversed to its charge: neither what a person answered against its
    recommendation, nor what a conflict settled against its wish.
    `answered` and `accepted` are the record that its authority may grow on, as it is now: with another runtime, model
    or SOP they begin anew.
    """

    decided: int
    escalated: int
    reversed: int
    answered: int
    accepted: int
    conflicts_won: int
    conflicts_lost: int

    def to_json(self) -> Json:
        return asdict(self)


def performance(reader: Connection, agent: str) -> Performance:
    own = (Decision.agent == agent) & Decision.reverses.is_null()
    outcomes = dict(
        reader.rows(Decision.select(Decision.outcome, fn.COUNT(Decision.id)).where(own).group_by(Decision.outcome))
    )
    cohort = cohort_of(reader, agent)
    kinds = reader.rows(Decision.select(Decision.kind).where(own).distinct())
    records = [read_record(reader, agent, kind, cohort) for (kind,) in kinds]
    decided_itself = (Decision.outcome == "decided") & Decision.conflict.is_null()
    before = fn.json_extract(Decision.context, f"$.{BEFORE}.choice")
    its_wish = decided_itself | (Decision.choice == fn.COALESCE(before, Decision.recommended))
    reversed_ = Decision.select(fn.COUNT(Decision.id)).where(own & Decision.reverted_at.is_null(False) & its_wish)
    in_conflict = ((Conflict.first == agent) | (Conflict.second == agent)) & Conflict.winner.is_null(False)
    won = Conflict.select(fn.COUNT(Conflict.id)).where(in_conflict & (Conflict.winner == agent))
    lost = Conflict.select(fn.COUNT(Conflict.id)).where(in_conflict & (Conflict.winner != agent))
    taken_back, wins, losses = (int((reader.one(query) or (0,))[0]) for query in (reversed_, won, lost))
    return Performance(
        decided=outcomes.get("decided", 0),
        escalated=outcomes.get("escalated", 0),
        reversed=taken_back,
        answered=sum(r.n for r in records),
        accepted=sum(len(r.accepted) for r in records),
        conflicts_won=wins,
        conflicts_lost=losses,
    )
