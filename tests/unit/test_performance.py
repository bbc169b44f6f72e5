"""What a domain agent has done with its authority, counted from decisions and conflicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.governance import escalations, reversal
from core.governance.conflicts import ConflictRules, Dispute, raise_conflict
from core.governance.decisions import Choice, make_decision
from core.governance.performance import Performance, performance
from core.orchestration import work_items
from core.registry.catalog import default_path, load
from core.store.schema import PhaseRun
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import fresh_workspace


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(fresh_workspace(tmp_path) / "state") as opened:
        yield opened


def decide(store: Store, kind: str, case: int = 0) -> int | None:
    choice = Choice("technical", kind, f"Case {case}?", 5, recommended="approve")
    return store.write_now(lambda tx: make_decision(tx, choice)).escalation


def test_an_agent_that_has_done_nothing_has_noughts(store: Store) -> None:
    assert store.read_now(lambda r: performance(r, "ux")) == Performance(0, 0, 0, 0, 0, 0, 0)


def test_decisions_answers_reversals_and_conflicts_are_counted(store: Store) -> None:
    for case in range(3):
        decide(store, "api_endpoints", case)
    for case, option in enumerate(("approve", "reject", "approve")):
        asked = decide(store, "external_service", case)
        assert asked is not None
        if case < 2:
            store.write_now(
                lambda tx, n=asked, o=option: escalations.resolve(tx, n, option=o, by="ada", reason="r")  # type: ignore[misc]
            )
    store.write_now(lambda tx: reversal.reverse(tx, 1, by="ada", reason="no"))
    rules = ConflictRules.of(load(default_path()))
    for topic in ("performance", "user experience", "the colour"):
        store.write_now(
            lambda tx, t=topic: raise_conflict(tx, Dispute(("technical", "ux"), t, 5), rules)  # type: ignore[misc]
        )

    found = store.read_now(lambda r: performance(r, "technical"))

    assert found == Performance(
        decided=3, escalated=3, reversed=1, answered=2, accepted=1, conflicts_won=1, conflicts_lost=1
    )


def answered_and_gone_on_from(store: Store, option: str) -> int:
    """A decision that technical would approve, that ada answered so, and that work has gone on from."""
    work = store.write_now(lambda tx: work_items.create(tx, title="Cache"))
    choice = Choice(
        "technical", "external_service", "Buy it?", 5, recommended="approve", work_item=work, phase="D1", blocks="I1"
    )
    asked = store.write_now(lambda tx: make_decision(tx, choice))

    def answer_and_go_on(tx: Transaction) -> None:
        escalations.resolve(tx, asked.escalation or 0, option=option, by="ada", reason="so")
        tx.insert(PhaseRun, work_item=work, phase="I1", round=1, input_digest="d", started_at=tx.now)
        tx.event("phase.started", work_item=work)

    store.write_now(answer_and_go_on)
    return asked.decision


@pytest.mark.parametrize(("option", "charged"), [("reject", 0), ("approve", 1)])
def test_only_what_the_agent_was_for_is_charged_to_it_as_taken_back(store: Store, option: str, charged: int) -> None:
    decision = answered_and_gone_on_from(store, option)

    store.write_now(lambda tx: reversal.reverse(tx, decision, by="bob", reason="ada was wrong"))

    assert store.read_now(lambda r: performance(r, "technical")).reversed == charged
