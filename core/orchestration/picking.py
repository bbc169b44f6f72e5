"""Which work items a drive could bring further now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.contract import PHASE_CODES
from core.store import reads, rows
from core.store.reads import Connection


def runnable(reader: Connection, among: set[int] | None, parked: Mapping[int, frozenset[int]]) -> list[int]:
    """The work items, of these or of all, that a drive could bring further now.

    One that was parked in the middle of a phase could not while the same questions are open.
    """
    if among is not None:
        # What has just ended is what there is most often news of.
        facts_of = (reads.work_item_facts(reader, number) for number in among)
        among = {facts.id for facts in facts_of if facts is not None and not facts.is_over}
        if not among:
            return []
    nobody = rows.LiveRow(False, None, (), ())
    found = []
    items = reads.work_items(reader, limit=1_000_000, unfinished_only=True, among=among, live=nobody)
    asked = reads.holding(reader, [i.id for i in items if i.questions])
    for item in items:
        facts = item.facts
        questions = asked.get(item.id, [])
        if facts.accepted_at is None or facts.paused_at is not None or _is_held(item, questions):
            continue
        if questions and frozenset(q.id for q in questions) == parked.get(item.id):
            continue
        stopped_after = facts.until is not None and any(
            c.phase == facts.until and c.status == "passed" for c in item.cells
        )
        if not stopped_after:
            found.append(item.id)
    return found


def _is_held(item: rows.WorkItemRow, asked: Sequence[reads.Holding]) -> bool:
    """Whether one of the open questions holds back the phase that comes next."""
    phase = item.phase or PHASE_CODES[0]
    if next((c.status for c in item.cells if c.phase == phase), "") == "passed":
        phase = PHASE_CODES[min(PHASE_CODES.index(phase) + 1, len(PHASE_CODES) - 1)]
    return any(question.blocks == phase for question in asked)
