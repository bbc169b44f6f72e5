"""Questions of several sorts to be marked, and what has become of them."""

from __future__ import annotations

from typing import Any

from core.store import reads_escalations
from core.store.rows import EscalationRow
from core.store.transaction import Transaction
from tests.app.inbox import APPROVE, SUPPLY, ask, failed
from tests.app.seeding import MINUTE, Question, SeededWorkspace, raise_question
from tui.questions.bulk import Plan
from tui.screens.triage.bulk import BulkDialog
from tui.screens.triage.screen import Triage

ALL = "asterisk"


def mix(made: SeededWorkspace) -> SeededWorkspace:
    """1-4 are approvals, 5-7 failed tasks, 8 asks for values, of 9 nothing is recommended."""
    made.at(9 * MINUTE, lambda tx: [ask(tx, f"Approve the change {n}?") for n in range(4)])
    made.at(8 * MINUTE, lambda tx: [failed(tx, n) for n in range(3)])
    made.at(7 * MINUTE, lambda tx: ask(tx, "What is it to do?", SUPPLY))
    made.at(6 * MINUTE, lambda tx: ask(tx, "Left or right?", recommended=None))
    return made


async def rows(made: SeededWorkspace) -> dict[int, EscalationRow]:
    found = await made.store.read(lambda r: reads_escalations.escalations(r, open_only=False))
    return {row.id: row for row in found}


async def chosen(made: SeededWorkspace) -> dict[int, list[str]]:
    """The answers that stand, by question."""
    text = "SELECT escalation_id, option FROM answers WHERE undone_at IS NULL ORDER BY escalation_id, id"
    given: dict[int, list[str]] = {}
    for number, option in await made.store.read(lambda r: r.sql(text)):
        given.setdefault(number, []).append(option)
    return given


def triage_of(pilot: Any) -> Triage:
    found = [screen for screen in pilot.app.screen_stack if isinstance(screen, Triage)]
    return found[-1]


def marked(pilot: Any) -> list[int]:
    return sorted(int(str(key)) for key in triage_of(pilot).inbox.marked)


def plan_of(pilot: Any) -> Plan:
    dialog = pilot.app.screen
    assert isinstance(dialog, BulkDialog)
    return dialog.plan


def raise_again(tx: Transaction, text: str) -> None:
    """The same question with something new to look at."""
    raise_question(
        tx,
        Question(
            kind="decision",
            subject={"text": text},
            question=text,
            urgency="DAILY",
            options=APPROVE,
            recommended="approve",
            chain=("master-orchestrator", "strategy"),
            missing=("something new",),
        ),
    )
