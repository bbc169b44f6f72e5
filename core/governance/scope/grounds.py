"""What a domain agent's suggestions rest on, read in one go: its kinds, their records and loads, what was decided."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from core.governance.authority import Kind, kinds
from core.governance.cohorts import cohort_of
from core.governance.scope.loads import Load, kinds_asked, read_load
from core.governance.scope.records import Record, decided_and_reversed, read_record, reversals
from core.store import reads_governance
from core.store.reads import Connection
from core.store.rows_governance import ConflictRow

MOST_KINDS = 50
"""Kinds of one agent that are looked at beside those that its lists name: agents may make kinds up."""
MOST_CONFLICTS = 2_000


@dataclass(frozen=True, slots=True)
class KindGrounds:
    """One kind. `known` is None for one that no list names.

    `decided` and `taken_back` count over all cohorts; `reversals` are the decisions taken back under the authority in
    force of which no person has yet decided what they mean for it. `earned_by` is the scope proposal, and the cohort,
    whose record the authority in force was given for.
    """

    key: str
    known: Kind | None
    record: Record
    load: Load
    decided: int = 0
    taken_back: int = 0
    reversals: tuple[int, ...] = ()
    earned_by: tuple[int, str] | None = None

    @property
    def title(self) -> str:
        return self.known.title if self.known else "no list names this kind"


@dataclass(frozen=True, slots=True)
class Standing:
    """Proposals of one agent that speak against a new one: (change, kind) of undecided ones and of those that cool
    down, and (kind, cohort) for which a person has decided that it stays autonomous."""

    undecided: frozenset[tuple[str, str]] = frozenset()
    cooling: frozenset[tuple[str, str]] = frozenset()
    confirmed: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Grounds:
    agent: str
    cohort: str
    kinds: tuple[KindGrounds, ...]
    conflicts: tuple[ConflictRow, ...]
    standing: Standing


def read_grounds(reader: Connection, agent: str, now: int, since: int, *, renewing: Collection[int] = ()) -> Grounds:
    """Everything about one agent; `renewing` are undecided proposals that are about to be replaced."""
    listed = {kind.key: kind for kind in kinds(reader, agent)}
    with_history = {key for (key,) in reader.sql("SELECT DISTINCT kind FROM decisions WHERE agent = ?", (agent,))}
    others = [key for key in kinds_asked(reader, agent, since, MOST_KINDS + len(listed)) if key not in listed]
    looked_at = [key for key in listed if key in with_history]
    cohort = cohort_of(reader, agent)
    return Grounds(
        agent,
        cohort,
        tuple(
            read_kind(reader, agent, key, cohort, listed.get(key), now, since)
            for key in (*looked_at, *others[:MOST_KINDS])
        ),
        reads_governance.conflicts(reader, since=since, limit=MOST_CONFLICTS),
        read_standing(reader, agent, now, renewing),
    )


def read_kind(
    reader: Connection, agent: str, key: str, cohort: str, known: Kind | None, now: int, since: int
) -> KindGrounds:
    decided, taken_back = decided_and_reversed(reader, agent, key)
    grant = known.grant if known else None
    return KindGrounds(
        key,
        known,
        read_record(reader, agent, key, cohort),
        read_load(reader, agent, key, since, now),
        decided,
        taken_back,
        _unsettled(reader, agent, key, grant.id) if taken_back and grant is not None else (),
        _earned_by(reader, known),
    )


_CONTRACTIONS = """
SELECT analysis, decision, undone_at FROM scope_proposals
WHERE agent = ? AND kind = ? AND change = 'contraction' AND (decision IS NULL OR decision <> 'superseded')
ORDER BY id DESC LIMIT 50
"""


def _unsettled(reader: Connection, agent: str, key: str, grant: int) -> tuple[int, ...]:
    """Reversals under the authority in force that no person has yet decided about. No clock has a say in it.

    A decision of an earlier grant that is taken back only now is named by the proposal that this led to.
    """
    pending: set[int] = set()
    settled: set[int] = set()
    for text, decision, undone_at in reader.sql(_CONTRACTIONS, (agent, key)):
        shown = json.loads(text)
        if decision is None and (shown.get("grant") or {}).get("id") == grant:
            pending.update(shown.get("reversals", ()))
        elif decision is not None and not (decision == "rejected" and undone_at is not None):
            settled.update(shown.get("reversals", ()))
    return tuple(sorted({*reversals(reader, agent, key, grant), *pending} - settled))


def _earned_by(reader: Connection, known: Kind | None) -> tuple[int, str] | None:
    if known is None or known.grant is None or known.grant.proposal is None:
        return None
    row = reads_governance.scope_proposal(reader, known.grant.proposal)
    return None if row is None or row.change != "expansion" else (row.id, row.cohort)


_STANDING = """
SELECT id, kind, change, cohort, decided_at, decision, cool_down_until, undone_at FROM scope_proposals
WHERE agent = ? AND (decided_at IS NULL OR cool_down_until > ? OR (change = 'contraction' AND decision = 'rejected'))
"""


def read_standing(reader: Connection, agent: str, now: int, renewing: Collection[int] = ()) -> Standing:
    undecided, cooling, confirmed = set(), set(), set()
    for number, kind, change, cohort, decided_at, decision, cool_until, undone_at in reader.sql(
        _STANDING, (agent, now)
    ):
        if decided_at is None and number not in renewing:
            undecided.add((change, kind))
        if cool_until is not None and cool_until > now:
            cooling.add((change, kind))
        if change == "contraction" and decision == "rejected" and undone_at is None:
            confirmed.add((kind, cohort))
    return Standing(frozenset(undecided), frozenset(cooling), frozenset(confirmed))
