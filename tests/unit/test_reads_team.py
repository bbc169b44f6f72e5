"""The figures that stand on the screen all the time agree with the lists that they count."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.store import reads, reads_escalations, reads_team, reads_triage, reads_windows, states
from core.store.reads import Connection
from core.store.schema import Agent, Counter, Escalation
from core.store.store import Store
from core.store.transaction import Transaction
from tests.app.seeding import HOUR, MORNING, Clock, Option, Question, raise_question, seed_agents
from tests.fresh import fresh_store

FACTS = ("snoozed_until", "acknowledged_until", "due_at", "resolved_at", "withdrawn_at", "expired_at", "merged_into")
WHEN = st.sampled_from([None, MORNING - HOUR, MORNING, MORNING + HOUR, MORNING + 2 * HOUR])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_store(tmp_path / "state", synchronous="off", clock=Clock()) as store:
        yield store


def ask(tx: Transaction, number: int, *, chain: tuple[str, ...] = ("technical",), kind: str = "gate") -> int:
    options = (Option("yes", "Yes", "It is built."),)
    return raise_question(
        tx,
        Question(
            kind=kind,
            subject={"number": number},
            question=f"Question {number}?",
            urgency="DAILY",
            options=options,
            recommended="yes",
            chain=chain,
        ),
    )


@settings(max_examples=25, deadline=None)
@given(facts=st.lists(st.fixed_dictionaries(dict.fromkeys(FACTS, WHEN)), max_size=6))
def test_what_waits_is_counted_by_the_rules_of_the_list(
    tmp_path_factory: pytest.TempPathFactory, facts: list[dict[str, int | None]]
) -> None:
    with fresh_store(tmp_path_factory.mktemp("state"), synchronous="off", clock=Clock()) as store:

        def write(tx: Transaction) -> None:
            for number, columns in enumerate(facts):
                tx.update(Escalation, ask(tx, number), **columns)
            tx.event("test.changed")

        store.write_now(write)
        rows = store.read_now(lambda r: reads_escalations.escalations(r, open_only=False))
        counted = store.read_now(lambda r: reads_team.waiting(r, MORNING))
        asked = store.read_now(lambda r: reads_team.askers(r, MORNING))
        inbox = store.read_now(lambda r: reads_triage.triage_counts(r, "ada", MORNING))
        sections = store.read_now(lambda r: reads_windows.section_counts(r, MORNING))
    assert counted.needs_me == sum(states.needs_me(row, MORNING) for row in rows)
    assert counted.overdue == sum(states.is_overdue(row, MORNING) for row in rows)
    assert sum(asker.count for asker in asked) == counted.needs_me
    assert (inbox.needs_me, inbox.overdue) == (counted.needs_me, counted.overdue)
    counts: dict[str | None, int] = {None: inbox.everything, "needs-me": inbox.needs_me, "overdue": inbox.overdue}
    assert sections == {**counts, "snoozed": inbox.snoozed, "acknowledged": inbox.seen}


def test_the_next_moment_is_when_one_comes_back_or_is_late(store: Store) -> None:
    def write(tx: Transaction) -> None:
        tx.update(Escalation, ask(tx, 1), due_at=MORNING + 2 * HOUR)
        tx.update(Escalation, ask(tx, 2), due_at=None, snoozed_until=MORNING + HOUR)
        tx.update(Escalation, ask(tx, 3), due_at=MORNING - HOUR)
        tx.event("test.changed")

    store.write_now(write)
    assert store.read_now(lambda r: reads_team.waiting(r, MORNING)).until == MORNING + HOUR
    later = store.read_now(lambda r: reads_team.waiting(r, MORNING + HOUR))
    assert (later.needs_me, later.until) == (3, MORNING + 2 * HOUR)
    assert store.read_now(lambda r: reads_team.waiting(r, MORNING + 2 * HOUR)).until is None


def test_askers_are_grouped_by_chain_and_by_whether_they_failed(store: Store) -> None:
    def write(tx: Transaction) -> None:
        for number in range(3):
            ask(tx, number, chain=("master-orchestrator", "ux"))
        ask(tx, 3, chain=("master-orchestrator", "ux"), kind="error")

    store.write_now(write)
    found = store.read_now(lambda r: reads_team.askers(r, MORNING))
    assert {(a.chain[-1], a.kind, a.count) for a in found} == {("ux", "gate", 3), ("ux", "error", 1)}


def test_the_open_questions_are_counted_along_their_index(store: Store) -> None:
    seen: list[str] = []

    class Explaining:
        def sql(self, text: str, parameters: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
            plan = store.read_now(lambda r: r.sql(f"EXPLAIN QUERY PLAN {text}", parameters))
            seen.extend(str(row[3]) for row in plan)
            return store.read_now(lambda r: r.sql(text, parameters))

    explaining: Connection = Explaining()  # type: ignore[assignment]
    reads_team.waiting(explaining, MORNING)
    assert [plan.rpartition(" ")[2] for plan in seen] == ["escalation_open"]


def test_today_costs_what_its_agents_cost(store: Store) -> None:
    day = MORNING // 86_400_000

    def write(tx: Transaction) -> None:
        for agent, on, cost in (("a", day, 0.25), ("b", day, 0.5), ("a", day - 1, 9.0), ("a", day + 30, 7.0)):
            zero = {"runs": 0, "failures": 0, "milliseconds": 0, "tokens": 0}
            tx.execute(Counter.insert(agent=agent, day=on, cost=cost, **zero))
        tx.event("test.changed")

    assert store.read_now(lambda r: reads_team.cost_of_day(r, MORNING)) == (0.0, 0)
    store.write_now(write)
    assert store.read_now(lambda r: reads_team.cost_of_day(r, MORNING)).dollars == 0.75
    assert {a: c.cost for a, c in store.read_now(lambda r: reads.counters(r, day=day)).items()} == {"a": 0.25, "b": 0.5}
    assert store.read_now(reads.counters)["a"].cost == 16.25


def test_a_team_with_one_replayed_agent_is_replayed(store: Store) -> None:
    store.write_now(seed_agents)
    assert not store.read_now(reads_team.is_replayed)

    def replay(tx: Transaction) -> None:
        number = tx.one(Agent.select(Agent.id).where(Agent.role == "ux"))
        tx.update(Agent, number[0] if number else 0, runtime="replay")
        tx.event("agents.imported")

    store.write_now(replay)
    assert store.read_now(reads_team.is_replayed)
