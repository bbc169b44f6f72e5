"""A flood of news: ten notices and one that counts the rest, and nothing urgent lost in it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.governance.notices import claims, floods, planning
from core.governance.notices.outside import SENT
from core.store.schema import Briefing
from core.store.store import Store
from tests.fresh import fresh_store
from tests.unit.notice_place import HOUR_MS, MINUTE_MS, Clock, ask, ask_many, rows
from tests.unit.notice_plan import CHANNELS, plan, told


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A workspace in which the channels have been known for a while."""
    with fresh_store(tmp_path, clock=clock, synchronous="normal") as opened:
        opened.write_now(lambda tx: planning.plan(tx, CHANNELS))
        yield opened


def test_a_flood_is_ten_notices_and_one_that_counts_the_rest(store: Store, clock: Clock) -> None:
    ask_many(store, 47)
    plan(store)

    subjects = told(store)
    assert len(subjects) == floods.MOST_IN_WINDOW + 1
    assert subjects[-1] == "37 more notices wait"
    digest = next(row for row in rows(store, "mail") if floods.is_digest(row.key))
    assert digest.body.count("Question number") == 20
    assert "- and 17 more" in digest.body
    assert digest.next_try_at == clock.now + floods.GATHER_MS
    held = [row for row in rows(store, "mail") if row.outcome == "suppressed"]
    assert {row.error for row in held} == {floods.HELD_BACK}
    assert len(held) == 37


def test_the_file_is_told_of_a_whole_flood(store: Store) -> None:
    ask_many(store, 47)
    plan(store)

    assert len(told(store, "file")) == 47
    assert len(told(store, "console")) == 47


def test_a_digest_that_still_waits_takes_in_what_comes_after(store: Store, clock: Clock) -> None:
    ask_many(store, 20)
    plan(store)
    clock.now += MINUTE_MS // 2
    for n in range(3):
        ask(store, subject={"later": n}, question="And what of this?")
        plan(store)

    assert told(store)[-1] == "13 more notices wait"
    assert sum(map(floods.is_digest, (row.key for row in rows(store, "mail")))) == 1


def test_an_immediate_question_is_not_lost_in_a_flood_of_others(store: Store) -> None:
    ask_many(store, 47)
    plan(store)
    urgent = ask(store, subject={"urgent": 1}, urgency="IMMEDIATE")
    plan(store)

    assert f"IMMEDIATE question {urgent}: Which criteria are missing?" in told(store)


def test_a_flood_of_immediate_questions_has_a_digest_of_its_own(store: Store) -> None:
    ask_many(store, 12, urgency="IMMEDIATE")
    plan(store)

    assert told(store)[-1] == "2 more IMMEDIATE questions wait"


def test_after_the_flood_questions_are_told_one_by_one_again(store: Store, clock: Clock) -> None:
    ask_many(store, 47)
    plan(store)
    clock.now += floods.WINDOW_MS
    number = ask(store, subject={"later": 1})
    plan(store)

    assert told(store)[-1].startswith(f"DAILY question {number}")


def test_a_flood_that_trickles_on_stays_one(store: Store, clock: Clock) -> None:
    ask_many(store, 10)
    plan(store)
    clock.now += 9 * MINUTE_MS
    ask(store, subject={"n": "the eleventh"})
    plan(store)
    clock.now += 2 * MINUTE_MS
    ask(store, subject={"n": "the twelfth"})
    plan(store)

    assert told(store)[10:] == ["2 more notices wait"]


def test_a_digest_that_was_sent_is_followed_by_the_next_one_a_window_later(store: Store, clock: Clock) -> None:
    ask_many(store, 20)
    plan(store)
    clock.now += floods.GATHER_MS
    while rows_sent := store.write_now(lambda tx: claims.claim(tx, "mail", 100)).rows:
        results = [claims.Result(row, SENT) for row in rows_sent]
        store.write_now(partial(claims.settle, channel="mail", results=results))
    ask(store, subject={"n": "one more"})
    plan(store)

    digests = [row for row in rows(store, "mail") if floods.is_digest(row.key)]
    assert [(row.subject, row.outcome) for row in digests] == [
        ("10 more notices wait", "sent"),
        ("1 more notice waits", None),
    ]
    assert digests[1].next_try_at == clock.now + floods.WINDOW_MS


def test_a_briefing_is_told_in_the_middle_of_a_flood(store: Store) -> None:
    ask_many(store, 47)

    def work(tx: Any) -> None:
        number = tx.insert(Briefing, at=tx.now, date="2027-01-15", content='{"sections": []}')
        tx.event("briefing.made", briefing=number, send=True)

    store.write_now(work)
    plan(store)

    assert "Briefing of 2027-01-15" in told(store)


def test_a_clock_that_was_put_back_ends_a_flood(store: Store, clock: Clock) -> None:
    ask_many(store, 47)
    plan(store)
    clock.now -= HOUR_MS
    number = ask(store, subject={"later": 1})
    plan(store)

    assert told(store)[-1].startswith(f"DAILY question {number}")
