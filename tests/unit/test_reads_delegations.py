"""All that is known of one delegation, and nothing that is not written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.orchestration import journal
from core.store import reads
from core.store.reads_delegations import Called, DelegationFacts, called_of, delegation_facts
from core.store.rows import LiveRow
from core.store.schema import Escalation
from core.store.store import Store
from core.store.transaction import Transaction
from tests.app.busy import PLANNED
from tests.app.seeding import (
    MORNING,
    Clock,
    Option,
    Question,
    raise_question,
    seed_agents,
    seed_artifact,
    seed_delegation,
    seed_phase,
    seed_work_item,
)
from tests.fresh import fresh_store

CALLED = Called(1, "I1", 1, "code-implementer", "T2")
NOTHING_RUNS = LiveRow(False, None, (), ())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_store(tmp_path / "state", synchronous="off", clock=Clock()) as store:
        store.write_now(begun)
        yield store


def begun(tx: Transaction) -> None:
    seed_agents(tx)
    seed_work_item(tx, "It")
    seed_artifact(tx, 1, "plan.snapshot", "planning-orch", PLANNED)
    seed_phase(tx, 1, "I1", None)


def ask(tx: Transaction, *, agent: str, round_: int = 1) -> int:
    options = (Option("retry", "Try again", "It runs again."),)
    return raise_question(
        tx,
        Question(
            kind="error",
            subject={"agent": agent, "round": round_},
            question=f"{agent} failed",
            urgency="DAILY",
            options=options,
            recommended="retry",
            chain=("master-orchestrator", "implementation-orch", agent),
            work_item=1,
            phase="I1",
            round=round_,
        ),
    )


def facts(store: Store, called: Called = CALLED, live: LiveRow = NOTHING_RUNS) -> DelegationFacts:
    return store.read_now(lambda r: delegation_facts(r, called, live))


def test_what_has_no_record_has_no_request_no_response_and_no_commands(store: Store) -> None:
    found = facts(store)
    assert (found.recorded, found.since, found.request, found.response, found.commands) == (None, None, {}, {}, ())
    assert found.run is not None
    assert found.agent is not None


def test_what_runs_is_known_since_when(store: Store) -> None:
    told = {"work_item": 1, "phase": "I1", "agent": "code-implementer", "subject": "T2", "since": MORNING - 5}
    assert facts(store, live=LiveRow(True, 1, (1,), (told,))).since == MORNING - 5
    assert facts(store, live=LiveRow(True, 1, (1,), ({**told, "subject": "T1"},))).since is None


def test_a_record_ends_what_runs(store: Store) -> None:
    told = {"work_item": 1, "phase": "I1", "agent": "code-implementer", "subject": "T2", "since": MORNING}
    evidence: list[dict[str, Any]] = [{"command": ["true"]}, {"command": ["false"], "exit_code": 1}]
    store.write_now(lambda tx: seed_delegation(tx, 1, "I1", "code-implementer", subject="T2", evidence=evidence))
    found = facts(store, live=LiveRow(True, 1, (1,), (told,)))
    assert found.recorded is not None
    assert found.since is None
    assert found.metadata["runtime"] == "tool"
    assert [c.command for c in found.commands] == [["true"], ["false"]]


def test_its_task_is_the_one_of_the_plan(store: Store) -> None:
    assert (facts(store).task or {}).get("title") == "Wire it up"
    assert facts(store, replace(CALLED, subject="T9")).task is None
    assert facts(store, replace(CALLED, subject="")).task is None


def test_an_intent_is_told(store: Store) -> None:
    assert facts(store).intended_at is None
    store.write_now(lambda tx: journal.intend(tx, 1, journal.Key("I1", 1, "code-implementer", "T2")))
    assert facts(store).intended_at == MORNING


def test_its_questions_are_those_of_this_agent_in_this_round(store: Store) -> None:
    def write(tx: Transaction) -> None:
        tx.update(Escalation, ask(tx, agent="code-implementer"), resolved_at=MORNING)
        ask(tx, agent="doc-toucher")
        ask(tx, agent="code-implementer", round_=2)

    store.write_now(write)
    assert [(q.round, q.chain[-1]) for q in facts(store).questions] == [(1, "code-implementer")]


def test_what_runs_is_in_the_newest_round_of_its_phase(store: Store) -> None:
    store.write_now(lambda tx: seed_phase(tx, 1, "I1", None, round_=2))
    store.write_now(lambda tx: seed_delegation(tx, 1, "I1", "code-implementer", subject="T2"))
    [recorded] = store.read_now(lambda r: reads.delegations(r, 1))
    assert store.read_now(lambda r: called_of(r, recorded)) == CALLED
    assert store.read_now(lambda r: called_of(r, replace(recorded, round=0))) == replace(CALLED, round=2)
