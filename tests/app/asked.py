"""A question of a seeded workspace and its answers, as the store has them."""

from __future__ import annotations

from core.store import reads, reads_escalations
from core.store.rows import AnswerRow, EscalationRow
from tests.app.seeding import SeededWorkspace

SCOPE, PASSKEYS, THIN, REVIEW, ERROR, SNOOZED, SEEN = 1, 2, 3, 4, 5, 6, 7
"""The questions of the busy workspace, by number."""


async def answers(made: SeededWorkspace, escalation: int) -> tuple[AnswerRow, ...]:
    return await made.store.read(lambda r: reads_escalations.answers(r, escalation))


async def row_of(made: SeededWorkspace, escalation: int) -> EscalationRow:
    row = await made.store.read(lambda r: reads.escalation(r, escalation))
    assert row is not None
    return row
