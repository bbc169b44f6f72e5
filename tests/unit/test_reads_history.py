"""The journal as history: a filter finds what its rule says, however the journal has grown."""

from __future__ import annotations

import json
import random
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import canonical_json
from core.store.event_facts import event_facts, leading_facts
from core.store.newest_first import NewestFirst, Without
from core.store.reads_events import event_document, events_by_number, history_rows
from core.store.reads_history import SECTIONS, Asked, History, history, matches
from core.store.schema import Delegation, Event, Evidence, Setting, Spend, WorkItem
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import fresh_store

NAMES = (
    "ada",
    "Émile Weiß",
    "50%_off",
    'quo"te\\d',
    "\u212aim",
    "日本",
    "technical",
    "clock",
    "time-out",
    "escalation 3",
)
KINDS = (
    *("escalation.resolved", "escalation.raised", "decision.decided", "decision.reversed", "conflict.settled"),
    *("phase.passed", "phase.entered", "scope.approved", "authority.granted", "agents.imported", "engine.started"),
    *("work_item.accepted", "work_item.created", "project.prepared", "notification.sent", "unheard.of"),
    *("delegation.turn", "spend.reserved", "spend.settled", "budget.set"),
)


def words_of(kind: str) -> str:
    """Words beside the kind's own, as the app has them."""
    return {"escalation.resolved": "question answered", "phase.passed": "gate passed"}.get(kind, kind)


def write_one(tx: Transaction, draw: random.Random) -> None:
    """An event of some kind, with facts of the sorts that are looked for."""
    number, item = draw.randint(1, 30), draw.choice((None, draw.randint(1, 9)))
    if draw.random() < 0.3:
        write_delegation(tx, draw, item or 1)
        return
    kind = draw.choice(KINDS)
    facts: dict[str, Any] = {
        "by": draw.choice(NAMES),
        "provenance": draw.choice(("human", "rule", "timeout")),
        "rule": f"authority: {draw.choice(NAMES)}",
        "escalation": number,
        "proposal": number + 1,
        "agent": draw.choice(NAMES),
        "reason": "ada said 17",
        "origin": draw.choice(("human", "evolution")),
    }
    kept = {key: value for key, value in facts.items() if draw.random() < 0.5}
    if draw.random() < 0.3:
        tx.insert(Setting, key=f"k{tx.next_seq}", value=canonical_json({"by": "ada", "escalation": number}))
    tx.event(kind, work_item=item, **kept)


def write_delegation(tx: Transaction, draw: random.Random, item: int) -> None:
    agent, phase = draw.choice(NAMES), draw.choice(("D1", "R1"))
    number = tx.insert(
        Delegation,
        work_item=item,
        phase=phase,
        round=tx.next_seq,
        agent=agent,
        subject="",
        status="SUCCESS",
        runtime="tool",
        request_digest="",
        at=tx.now,
        milliseconds=3,
        event=tx.next_seq,
    )
    if draw.random() < 0.4:
        write_evidence(tx, item, number)
    response = {"responding_agent": agent, "status": "SUCCESS", "output_artifact": {"by": "ada"}}
    tx.event("delegation.recorded", work_item=item, request={"escalation": 4}, response=response)


def write_evidence(tx: Transaction, item: int, delegation: int) -> None:
    tx.insert(
        Evidence,
        work_item=item,
        delegation=delegation,
        agent="test-runner",
        command='["true"]',
        cwd=".",
        exit_code=0,
        output_digest="",
        output_tail="",
        tool="",
        tool_version="",
        at=tx.now,
        milliseconds=1,
    )


def write_some(store: Store, count: int, draw: random.Random) -> None:
    def work(tx: Transaction) -> None:
        for _ in range(count):
            write_one(tx, draw)

    store.write_now(work)


def pay(tx: Transaction) -> None:
    """A call of a model: only where there was one, its steps are looked for."""
    tx.insert(Spend, agent="technical", subject="", reserved_cost=0.0, reserved_tokens=1, at=tx.now)
    tx.event("spend.reserved")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fresh_store(tmp_path_factory.mktemp("state"), synchronous="off") as opened:
        opened.write_now(pay)
        write_some(opened, 300, random.Random(7))
        yield opened


def found(store: Store, asked: Asked, before: History | None = None) -> History:
    return store.read_now(lambda reader: history(reader, asked, before))


def found_whole(store: Store, asked: Asked, most: int) -> History:
    """Stretch by stretch, until all of the journal was looked at."""
    so_far: History | None = None
    while so_far is None or not so_far.is_complete:
        before = so_far
        so_far = store.read_now(lambda reader, b=before: history(reader, asked, b, most=most))  # type: ignore[misc]
    return so_far


def with_commands(store: Store) -> set[int]:
    rows = store.read_now(
        lambda r: r.sql("SELECT d.event FROM delegations d WHERE d.id IN (SELECT delegation FROM evidence)")
    )
    return {row[0] for row in rows}


def one_by_one(store: Store, asked: Asked) -> list[int]:
    """The rule, asked of every event."""
    every = store.read_now(lambda r: events_by_number(r, [row[0] for row in r.rows(Event.select(Event.seq))]))
    meant = [event for event in every.values() if matches(asked, event)]
    if SECTIONS[asked.section].with_commands:
        ran = with_commands(store)
        meant = [event for event in meant if event.seq in ran or event.kind != "delegation.recorded"]
    return sorted((event.seq for event in meant), reverse=True)


WORDS = st.one_of(
    st.sampled_from([part for name in NAMES for part in name.casefold().split()]),
    st.sampled_from(["answered", "gate", "passed", "d1", "17", "#4", "4", "0", "999", "%", "_", '"']),
    st.sampled_from(["#", "recorded", "agents.", "e", "k", "s", "ss", "authority:", "9" * 40, "٣"]),
    st.text(max_size=3).map(str.casefold).filter(lambda text: text.split() == [text]),
)
ASKED = st.builds(
    Asked,
    wanted=st.lists(WORDS, max_size=2).map(tuple),
    refused=st.lists(WORDS, max_size=2).map(tuple),
    section=st.sampled_from(sorted(SECTIONS)),
    work_item=st.none() | st.integers(1, 10),
    words_of=st.just(words_of),
)


@given(asked=ASKED)
def test_a_filter_finds_what_its_rule_says(store: Store, asked: Asked) -> None:
    assert list(found(store, asked).order) == one_by_one(store, asked)


@given(asked=ASKED, most=st.integers(10, 200))
def test_what_is_found_stretch_by_stretch_is_the_same(store: Store, asked: Asked, most: int) -> None:
    assert list(found_whole(store, asked, most).order) == one_by_one(store, asked)


def test_a_stretch_shows_the_newest_first_and_what_comes_meanwhile(store: Store) -> None:
    asked = Asked(section="delegations")
    first = store.read_now(lambda reader: history(reader, asked, most=50))
    write_some(store, 5, random.Random(3))
    second = store.read_now(lambda reader: history(reader, asked, first, most=50))
    whole = one_by_one(store, asked)

    assert not first.is_complete
    assert list(second.order) == [seq for seq in whole if seq > second.low]
    assert second.low == first.low - 50


@given(asked=ASKED, count=st.integers(0, 3), seed=st.integers(0, 99))
def test_what_is_new_is_added_to_what_was_found(store: Store, asked: Asked, count: int, seed: int) -> None:
    before = found(store, asked)
    shown = list(before.order)
    write_some(store, count, random.Random(seed))

    after = found(store, asked, before)

    assert list(after.order) == one_by_one(store, asked)
    assert list(before.order) == shown


def test_another_question_is_answered_anew(store: Store) -> None:
    before = found(store, Asked(section="gates"))

    assert list(found(store, Asked(section="team"), before).order) == one_by_one(store, Asked(section="team"))


def test_an_older_answer_can_be_gone_on_from_twice(store: Store) -> None:
    asked = Asked(section="delegations")
    before = found(store, asked)
    write_some(store, 20, random.Random(1))
    first = found(store, asked, before)
    write_some(store, 20, random.Random(2))

    again = found(store, asked, before)

    assert list(again.order) == one_by_one(store, asked)
    assert list(first.order) == list(again.order)[-len(first.order) :]


def test_without_a_filter_the_order_is_every_number(store: Store) -> None:
    head = store.read_now(lambda r: r.sql("SELECT MAX(seq) FROM events"))[0][0]

    assert found(store, Asked()).order == range(head, 0, -1)


def test_in_a_workspace_without_models_nothing_is_looked_for(tmp_path: Any) -> None:
    with fresh_store(tmp_path, synchronous="off") as opened:
        write_some(opened, 30, random.Random(2))
        assert found(opened, Asked(section="all")).order == range(30, 0, -1)
        assert opened.read_now(lambda r: history(r, Asked(section="usual"), most=5)).is_complete


@given(st.integers(0, 60), st.sets(st.integers(1, 60)), st.data())
def test_a_range_with_holes_is_a_sequence_of_what_is_left(head: int, holes: set[int], data: st.DataObject) -> None:
    cut = sorted(hole for hole in holes if hole <= head)
    seen, plain = Without(head, array("q", cut)), [n for n in range(head, 0, -1) if n not in cut]

    assert list(seen) == plain
    assert [seen.index(n) for n in plain] == list(range(len(plain)))
    assert [n for n in range(head + 2) if n in seen] == plain[::-1]
    where = data.draw(st.slices(len(plain)))
    assert seen[where] == plain[where]


def test_sections_tell_whose_word_it_was(tmp_path: Any) -> None:
    with fresh_store(tmp_path, synchronous="off") as opened:

        def work(tx: Transaction) -> None:
            tx.event("escalation.resolved", escalation=1, by="ada", provenance="human")
            tx.event("escalation.resolved", escalation=2, by="escalation 1", provenance="rule")
            tx.event("escalation.resolved", escalation=3, by="time-out", provenance="timeout")
            tx.event("escalation.escalated", escalation=4, by="clock")
            tx.event("decision.decided", decision=1, rule="authority: technical decides caching")
            tx.event("work_item.accepted", work_item=1, by="ada")

        opened.write_now(work)
        assert list(found(opened, Asked(section="people")).order) == [6, 1]
        assert list(found(opened, Asked(section="rules")).order) == [5, 3, 2]


def test_an_event_that_is_missing_has_a_row_that_says_so(store: Store) -> None:
    rows = store.read_now(lambda r: history_rows(r, [10**9, 1]))

    assert rows[10**9].event.kind is None
    assert rows[1].event.kind is not None


def test_a_row_has_the_title_of_what_it_is_about(tmp_path: Any) -> None:
    with fresh_store(tmp_path, synchronous="off") as opened:

        def work(tx: Transaction) -> int:
            number = tx.insert(WorkItem, title="Export reports", type="feature", origin="human", created_at=1)
            return tx.event("work_item.created", work_item=number, origin="human")

        seq = opened.write_now(work)
        row = opened.read_now(lambda r: history_rows(r, [seq]))[seq]
    assert (row.title, row.event.refs, row.event.who.provenance) == ("Export reports", {"work_item": 1}, "person")


def test_a_document_carries_its_hash_and_the_one_before(store: Store) -> None:
    first = store.read_now(lambda r: event_document(r, 1))
    second = store.read_now(lambda r: event_document(r, 2))

    assert first is not None
    assert second is not None
    assert (first.before, second.before) == (None, first.mac)
    assert json.loads(second.payload) is not None
    assert store.read_now(lambda r: event_document(r, 10**9)) is None


@given(
    facts=st.dictionaries(
        st.text(max_size=5), st.recursive(st.none() | st.integers() | st.text(max_size=9), st.lists, max_leaves=5)
    ),
    cut=st.integers(0, 200),
)
def test_of_a_payload_that_was_cut_the_whole_facts_are_read(facts: dict[str, Any], cut: int) -> None:
    text = canonical_json(facts)

    read = leading_facts(text[:cut])

    assert read == {key: facts[key] for key in sorted(facts)[: len(read)]}
    assert leading_facts(text) == facts


@given(text=st.text(max_size=60) | st.binary(max_size=40).map(repr))
def test_no_payload_makes_an_error(text: str) -> None:
    assert event_facts(1, 2, "escalation.raised", None, text).seq == 1


@given(numbers=st.sets(st.integers(0, 50)), later=st.sets(st.integers(51, 60)))
def test_newest_first_is_the_list_turned_round(numbers: set[int], later: set[int]) -> None:
    from array import array

    ascending = array("q", sorted(numbers))
    view: Sequence[int] = NewestFirst(ascending, len(numbers))
    ascending.extend(sorted(later))
    plain = sorted(numbers, reverse=True)

    assert list(view) == plain
    assert view[2:9] == plain[2:9]
    assert view[-3:] == plain[-3:]
    assert [n for n in range(62) if n in view] == sorted(numbers)
    assert [view.index(n) for n in plain] == list(range(len(plain)))
