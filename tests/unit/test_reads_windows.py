"""Orders and rows for lists of any length, against a reading of every row one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.contract import PHASE_CODES
from core.orchestration import work_items
from core.store import reads, reads_windows, rows, states
from core.store.reads_escalations import SECTIONS
from core.store.schema import Escalation, PhaseRun, Project, WorkItem
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import fresh_store

T = TypeVar("T")

NOW = 1_000
IDLE = rows.LiveRow(False, None, (), ())

moments = st.none() | st.integers(NOW - 3, NOW + 3)
ends = st.sampled_from((None, None, None, None, NOW - 1))
texts = st.text("aéÉEb %_#1-", max_size=6)
questions = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(("gate", "decision")),
        "question": texts,
        "urgency": st.sampled_from(states.URGENCIES),
        "work_item": st.none() | st.integers(1, 12),
        "phase": st.none() | st.sampled_from(PHASE_CODES),
        "due_at": moments,
        "snoozed_until": moments,
        "acknowledged_until": moments,
        "assigned_to": st.sampled_from((None, "ada", "bea")),
        "resolved_at": ends,
        "withdrawn_at": ends,
        "expired_at": ends,
        "merged_into": st.sampled_from((None, None, None, 1)),
    }
)
words = st.lists(
    st.sampled_from(
        ("gate", "e", "é", "éé", "%", "_", "#", "#1", "1", "d1", "daily", "seen", "snooze", "immediate", "b")
    ),
    max_size=2,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fresh_store(tmp_path_factory.mktemp("state"), synchronous="off") as opened:
        yield opened


class _Discarded(Exception):
    """Ends a write so that nothing of it stays."""


def looked_at(store: Store, work: Callable[[Transaction], T]) -> T:
    """What `work` sees after its own writes, of which nothing is kept."""
    seen: list[T] = []

    def write(tx: Transaction) -> None:
        seen.append(work(tx))
        raise _Discarded

    with pytest.raises(_Discarded):
        store.write_now(write)
    return seen[0]


def ask(tx: Transaction, facts: dict[str, Any]) -> int:
    blank = {"key": "k", "chain": "[]", "options": "[]", "payload_digest": "", "raised_at": 0, "last_raised_at": 0}
    return tx.insert(Escalation, **blank, **facts)


def all_questions(tx: Transaction) -> list[rows.EscalationRow]:
    found = tx.rows(reads.select(rows.EscalationRow, Escalation))
    return list(reads.build(rows.EscalationRow, Escalation, found))


def is_in(row: rows.EscalationRow, section: str | None, person: str | None) -> bool:
    state = states.escalation_state(row, NOW)
    if state not in ("open", "snoozed", "acknowledged"):
        return False
    return {
        None: True,
        "needs-me": states.needs_me(row, NOW, person),
        "overdue": row.due_at is not None and row.due_at <= NOW,
        "snoozed": state == "snoozed",
        "acknowledged": state == "acknowledged",
    }[section]


def shown(row: rows.EscalationRow) -> Sequence[str]:
    state = states.escalation_state(row, NOW)
    word = {"open": row.urgency, "acknowledged": "seen"}.get(state, state)
    target = f"#{row.work_item}" if row.work_item is not None else "#"
    return word, row.kind, row.question, target, row.phase or "", row.assigned_to or ""


def holds(parts: Sequence[str], word: str) -> bool:
    spellings = (word, word.upper(), word.capitalize())
    return any(small(spelling) in small(part) for part in parts for spelling in spellings)


def small(text: str) -> str:
    """With a-z in small letters, as a database knows them."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def place(row: rows.EscalationRow, person: str | None) -> tuple[bool, int, int, int]:
    due = -1 if row.due_at is None else row.due_at
    return not states.needs_me(row, NOW, person), states.URGENCIES.index(row.urgency), due, row.id


@settings(max_examples=150, deadline=None)
@given(
    asked=st.lists(questions, max_size=12),
    section=st.sampled_from((None, *SECTIONS)),
    wanted=words,
    refused=words,
    person=st.sampled_from((None, "ada", "bea")),
)
def test_the_order_of_questions_is_that_of_every_row_read_one_by_one(
    store: Store,
    asked: list[dict[str, Any]],
    section: str | None,
    wanted: list[str],
    refused: list[str],
    person: str | None,
) -> None:
    def look(tx: Transaction) -> tuple[list[int], list[rows.EscalationRow]]:
        for facts in asked:
            ask(tx, facts)
        return list(reads_windows.escalation_order(tx, section, wanted, refused, NOW, person=person)), all_questions(tx)

    order, every = looked_at(store, look)

    let_through = [
        row
        for row in every
        if is_in(row, section, person)
        and all(holds(shown(row), word) for word in wanted)
        and not any(holds(shown(row), word) for word in refused)
    ]
    assert order == [row.id for row in sorted(let_through, key=lambda row: place(row, person))]


@settings(max_examples=60, deadline=None)
@given(asked=st.lists(questions, max_size=12))
def test_sections_are_counted_as_they_are_listed_and_the_next_change_is_the_end_of_the_first_rest_or_of_another_s_time(
    store: Store, asked: list[dict[str, Any]]
) -> None:
    def look(tx: Transaction) -> Any:
        for facts in asked:
            ask(tx, facts)
        listed = {s: len(reads_windows.escalation_order(tx, s, (), (), NOW)) for s in (None, *SECTIONS)}
        counted = reads_windows.section_counts(tx, NOW)
        return listed, counted, reads_windows.next_change(tx, NOW), all_questions(tx)

    listed, counted, change, every = looked_at(store, look)

    assert counted == listed
    rests = [
        moment
        for row in every
        if is_in(row, None, None)
        for moment in (row.snoozed_until, row.acknowledged_until, row.due_at if row.assigned_to else None)
        if moment is not None and moment > NOW
    ]
    assert change == min(rests, default=None)


def test_one_urgency_and_those_handed_to_a_person_can_be_asked_for(store: Store) -> None:
    def look(tx: Transaction) -> tuple[list[int], list[int]]:
        for level, person in (("DAILY", None), ("WEEKLY", "ada"), ("IMMEDIATE", "ada")):
            ask(tx, {"kind": "gate", "question": "Go on?", "urgency": level, "assigned_to": person})
        order = reads_windows.escalation_order
        return (
            list(order(tx, None, (), (), NOW, urgency="DAILY")),
            list(order(tx, None, (), (), NOW, assigned_to="ada")),
        )

    daily, handed = looked_at(store, look)

    assert (daily, handed) == ([1], [3, 2])


def test_a_question_is_found_by_the_title_and_the_project_of_its_work_item(store: Store) -> None:
    def look(tx: Transaction) -> list[list[int]]:
        named = {"path": "/p", "target": "main", "tech": "{}", "settings": "{}", "created_at": 0}
        project = tx.insert(Project, name="greeter", **named)
        items = [work_items.create(tx, title=t, project=p) for t, p in (("Use WASM", None), ("Other", project))]
        for item in (None, *items):
            ask(tx, {"kind": "gate", "question": "Go on?", "urgency": "DAILY", "work_item": item})
        order = reads_windows.escalation_order
        every = [(("wasm",), ()), (("greeter",), ()), ((), ("wasm",)), (("on",), ())]
        titles = [row.title for row in reads_windows.escalations(tx, [1, 2, 3]).values()]
        assert titles == ["", "Use WASM", "Other"]
        return [list(order(tx, None, words, refused, NOW)) for words, refused in every]

    assert looked_at(store, look) == [[2], [3], [1, 3], [1, 2, 3]]


def test_questions_are_read_by_number_and_one_that_is_none_is_left_out(store: Store) -> None:
    def look(tx: Transaction) -> dict[int, rows.EscalationRow]:
        for n in range(4):
            ask(tx, {"kind": "gate", "question": f"Number {n}?", "urgency": "DAILY"})
        return reads_windows.escalations(tx, [4, 2, 99])

    found = looked_at(store, look)

    assert {number: row.question for number, row in found.items()} == {2: "Number 1?", 4: "Number 3?"}


@pytest.mark.parametrize("words", [(), ("e", "#1"), ("seen",)])
def test_orders_and_counts_of_open_questions_are_read_from_their_own_index_alone(
    store: Store, words: tuple[str, ...]
) -> None:
    """What lies behind the open ones, and how long their details are, costs nothing."""
    statements: list[tuple[str, Sequence[Any]]] = []

    def note(event: Any) -> None:
        statements.append((event.sql, event.params or ()))

    store._db.query_hooks.append(note)
    try:
        store.read_now(lambda r: reads_windows.escalation_order(r, None, words, (), NOW))
        store.read_now(lambda r: reads_windows.next_change(r, NOW))
    finally:
        store._db.query_hooks.remove(note)

    plans = [
        store.read_now(lambda r, given=given: r.sql(f"EXPLAIN QUERY PLAN {given[0]}", given[1]))  # type: ignore[misc]
        for given in statements
        if given[0].startswith(("SELECT", "WITH"))
    ]
    assert len(plans) == 2 * len(states.URGENCIES) + 1
    assert all("USING INDEX escalation_open" in str(plan) and "B-TREE" not in str(plan) for plan in plans)


# Work items

ITEM_STATES = ("accepted_at", "paused_at", "released_at", "closed_at", "failed_at", "cancelled_at")
items = st.fixed_dictionaries(
    {
        "title": texts,
        "type": st.sampled_from(("feature", "bug")),
        "origin": st.sampled_from(("human", "evolution")),
        "project": st.sampled_from((None, 1, 2)),
        **{name: st.sampled_from((None, None, NOW)) for name in ITEM_STATES},
    }
)
item_words = st.lists(
    st.sampled_from(
        ("bug", "fea", "e", "é", "%", "ledger", "é-app", "#1", "1", *states.WORK_ITEM_STATES, "paus", "ed")
    ),
    max_size=2,
)


def add(tx: Transaction, facts: dict[str, Any], asked: bool) -> None:
    number = tx.insert(WorkItem, created_at=0, **facts)
    tx.insert(PhaseRun, work_item=number, phase="D1", round=1, input_digest="", started_at=1)
    if asked:
        ask(tx, {"kind": "gate", "question": "?", "urgency": "DAILY", "work_item": number, "blocks": "D1"})


def add_projects(tx: Transaction) -> None:
    for name in ("ledger", "É-App"):
        tx.insert(Project, name=name, path=name, target="main", tech="{}", settings="{}", created_at=0)


def place_of(row: rows.WorkItemRow) -> int:
    if row.state in ("closed", "cancelled", "failed"):
        return 2
    return int(row.facts.accepted_at is None and row.facts.origin == "evolution")


def shown_item(row: rows.WorkItemRow) -> Sequence[str]:
    is_paused = row.facts.paused_at is not None and row.state in ("ready", "running")
    return f"#{row.id}", row.title, row.type, row.project or "", "paused" if is_paused else row.state


@settings(max_examples=150, deadline=None)
@given(
    made=st.lists(st.tuples(items, st.booleans()), max_size=12),
    running=st.frozensets(st.integers(1, 12), max_size=3),
    wanted=item_words,
    refused=item_words,
)
def test_the_order_of_work_items_is_that_of_every_row_read_one_by_one(
    store: Store,
    made: list[tuple[dict[str, Any], bool]],
    running: frozenset[int],
    wanted: list[str],
    refused: list[str],
) -> None:
    live = rows.LiveRow(True, 1, tuple(running), ())

    def look(tx: Transaction) -> tuple[list[int], dict[int, rows.WorkItemRow], tuple[rows.WorkItemRow, ...]]:
        add_projects(tx)
        for facts, asked in made:
            add(tx, facts, asked)
        order = list(reads_windows.work_item_order(tx, wanted, refused, live))
        return order, reads_windows.work_items(tx, order, live), reads.work_items(tx, live=live)

    order, by_number, every = looked_at(store, look)

    let_through = [
        row
        for row in every
        if all(holds(shown_item(row), word) for word in wanted)
        and not any(holds(shown_item(row), word) for word in refused)
    ]
    expected = sorted(let_through, key=lambda row: (place_of(row), -row.id))
    assert order == [row.id for row in expected]
    assert by_number == {row.id: row for row in expected}


def test_work_items_are_counted(store: Store) -> None:
    def look(tx: Transaction) -> int:
        for n in range(3):
            add(tx, {"title": f"{n}", "type": "bug", "origin": "human"}, False)
        return reads_windows.work_item_count(tx)

    assert looked_at(store, look) == 3
