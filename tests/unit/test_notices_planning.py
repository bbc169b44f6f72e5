"""From events to notices: who is told of what, once, and what is held back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import canonical_json
from core.governance import escalations
from core.governance.briefing import Briefing as BriefingDocument
from core.governance.briefing import Item, Section, keep
from core.governance.notices import planning
from core.governance.notices.channels import HOUSE, Channel, Channels
from core.orchestration import lease
from core.store.audit import verify
from core.store.schema import Artifact, Briefing, Project, ScopeProposal, Setting, WorkItem
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import fresh_store
from tests.unit.notice_place import HOUR_MS, NOON, Clock, ask, ask_many, question, rows, tell
from tests.unit.notice_plan import CHANNELS, MAIL, URGENT, plan, told
from tests.unit.notice_record import kinds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A workspace in which the channels have been known for a while."""
    with fresh_store(tmp_path, clock=clock, synchronous="normal") as opened:
        opened.write_now(lambda tx: planning.plan(tx, CHANNELS))
        yield opened


def test_a_question_is_told_to_every_channel_that_takes_it(store: Store) -> None:
    daily, urgent = ask(store), ask(store, subject={"n": 2}, urgency="IMMEDIATE")

    assert plan(store) == 3 + 4
    assert told(store, "mail") == [
        f"DAILY question {daily}: Which criteria are missing?",
        f"IMMEDIATE question {urgent}: Which criteria are missing?",
    ]
    assert told(store, "urgent") == [f"IMMEDIATE question {urgent}: Which criteria are missing?"]
    assert {row.escalation for row in rows(store)} == {daily, urgent}


def test_the_same_question_ten_thousand_times_is_one_notice_and_a_count(store: Store) -> None:
    same = question()

    def ask_on(count: int) -> None:
        store.write_now(lambda tx: [escalations.raise_question(tx, same) for _ in range(count)])

    ask_on(9_000)
    plan(store)
    ask_on(1_000)
    plan(store)

    assert [(row.channel, row.repeats) for row in rows(store)] == [(name, 9_999) for name in (*HOUSE, "mail")]
    assert kinds(store).count("notification.queued") < 20


def test_planning_again_tells_nothing_again_and_writes_nothing(store: Store) -> None:
    ask(store)
    plan(store)
    before = kinds(store)

    assert plan(store) == 0
    assert kinds(store) == before


def test_another_process_that_starts_later_tells_nothing_again(store: Store, tmp_path: Path, clock: Clock) -> None:
    ask(store)
    plan(store)

    with Store.open(tmp_path, clock=clock) as again:
        assert plan(again) == 0
        assert len(rows(again)) == 3


def test_a_weekly_question_stays_in_the_house(store: Store) -> None:
    ask(store, urgency="WEEKLY")
    plan(store)

    assert {row.channel for row in rows(store)} == set(HOUSE)


def test_a_question_that_comes_up_again_more_urgently_is_told_once_more(store: Store) -> None:
    number = ask(store, urgency="WEEKLY")
    plan(store)
    for _ in range(3):
        ask(store, urgency="IMMEDIATE")
        plan(store)

    line = f"Now IMMEDIATE: question {number}: Which criteria are missing?"
    assert (told(store, "mail"), told(store, "urgent")) == ([line], [line])
    assert told(store, "console")[1:] == [line]


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        ("escalation.escalated", "Now DAILY: question 1"),
        ("escalation.reminded", "Still waiting: question 1"),
        ("escalation.acknowledgement_ended", "Waiting again: question 1"),
        ("escalation.snooze_ended", "Waiting again: question 1"),
        ("escalation.separated", "Waiting again: question 1"),
        ("escalation.undone", "Waiting again: question 1"),
        ("escalation.assigned", "For somebody: question 1"),
    ],
)
def test_what_happens_to_a_question_is_told_each_time(store: Store, kind: str, begins: str) -> None:
    number = ask(store)
    plan(store)
    for _ in range(2):
        tell(store, kind, escalation=number)
        plan(store)

    assert told(store)[1:] == [f"{begins}: Which criteria are missing?"] * 2


def test_a_question_that_was_answered_in_the_meantime_is_not_told(store: Store) -> None:
    number = ask(store)
    store.write_now(lambda tx: escalations.resolve(tx, number, option="retry", by="ada"))

    assert plan(store) == 0
    assert {(row.outcome, row.error, row.body) for row in rows(store)} == {
        ("suppressed", "the question is resolved already", "")
    }


def test_an_expiry_and_a_late_answer_are_told_although_the_question_has_ended(store: Store) -> None:
    number = ask(store)
    plan(store)
    store.write_now(lambda tx: escalations.withdraw(tx, number, why="it has passed"))
    tell(store, "escalation.expired", escalation=number)
    store.write_now(lambda tx: escalations.resolve(tx, number, option="stop", reason="too late\x1b[2J", by="ada"))
    plan(store)

    assert [subject.split(":")[0] for subject in told(store)[1:]] == [
        "Expired",
        "Answered late",
    ]
    assert "'stop' by ada, because too late." in rows(store, "mail")[-1].body


def test_a_channel_is_told_only_what_it_asked_for(store: Store) -> None:
    number = ask(store, urgency="IMMEDIATE")
    tell(store, "escalation.reminded", escalation=number)
    plan(store)

    assert len(told(store, "mail")) == 2
    assert len(told(store, "urgent")) == 1


def test_a_briefing_that_is_to_be_sent_is_told_as_text(store: Store) -> None:
    found = BriefingDocument(
        NOON, (Section("urgent", "Urgent decisions", (Item("#7 Which one?"),), "No question is urgent."),)
    )
    store.write_now(lambda tx: keep(tx, found, send=False))
    sent = store.write_now(lambda tx: keep(tx, found, send=True))
    plan(store)

    assert told(store) == ["Briefing of 2027-01-15"]
    assert rows(store, "mail")[0].key == f"briefing.made:{sent}"
    assert "Urgent decisions" in rows(store, "mail")[0].body
    assert "#7 Which one?" in rows(store, "mail")[0].body
    assert told(store, "urgent") == []


def test_a_briefing_of_an_unknown_form_is_pointed_at(store: Store) -> None:
    def work(tx: Any) -> None:
        number = tx.insert(Briefing, at=tx.now, date="2027-01-15", content='{"sections": [{"title": "x"}]}')
        tx.event("briefing.made", briefing=number, send=True)

    store.write_now(work)
    plan(store)

    assert "apm briefing" in rows(store, "mail")[0].body


def test_a_scope_review_names_its_proposals(store: Store) -> None:
    facts: dict[str, Any] = {
        "agent": "technical",
        "kind": "db_schema",
        "change": "expansion",
        "n": 24,
        "accepted": 23,
        "risk": "low",
        "recommendation": "approve",
        "payload_digest": "0",
        "at": 1,
    }

    def work(tx: Any) -> None:
        numbers = [tx.insert(ScopeProposal, **facts), tx.insert(ScopeProposal, **facts)]
        tx.event("scope.reviewed", review=1, proposals=numbers, by="ada")
        tx.event("scope.proposed", proposal=numbers[0])

    store.write_now(work)
    plan(store)

    review, contraction = rows(store, "mail")
    assert review.subject == "Scope review 1: 2 proposals wait"
    assert "technical: expansion of db_schema (23 of 24 accepted as recommended); recommended: approve" in review.body
    assert contraction.subject.startswith("Scope proposal 1 technical: expansion")
    assert "apm scope approve 1" in contraction.body


def test_a_wish_for_other_authority_names_who_asks_and_why(store: Store) -> None:
    facts: dict[str, Any] = {"agent": "ux", "kind": "icons", "change": "expansion", "n": 0, "accepted": 0}
    facts |= {"risk": "low", "recommendation": "reject", "payload_digest": "0", "at": 1}
    asked = canonical_json({"asked_for": {"by": "bob", "reason": "nobody\x1b[2J looks at icons"}})

    def work(tx: Any) -> None:
        number = tx.insert(ScopeProposal, **facts, analysis=asked)
        tx.event("scope.asked", proposal=number, agent="ux", kind="icons", change="expansion", by="bob")

    store.write_now(work)
    plan(store)

    [told] = rows(store, "mail")
    assert told.subject == "Scope proposal 1 ux: expansion of icons (no record yet); recommended: reject"
    assert told.body.startswith("bob asks for it: nobody looks at icons")
    assert "apm scope approve 1" in told.body


def test_decisions_that_were_dropped_as_files_are_told(store: Store) -> None:
    tell(store, "inbox.applied", name="monday.json", by="ada", counts={"escalation": 2})
    tell(store, "inbox.rejected", name="x\x1b[2J\n.json", count=40, reasons=["decisions[0]: no reason"] * 30)
    plan(store)

    applied, refused = rows(store, "mail")
    assert applied.subject == "Decisions applied: monday.json"
    assert refused.subject == "Decisions refused: x .json: decisions[0]: no reason"
    assert "- escalation: 2" in applied.body
    assert "decisions[0]: no reason" in refused.body
    assert "- and 20 more" in refused.body


def test_the_first_time_only_what_still_waits_is_told(tmp_path: Path, clock: Clock) -> None:
    with Store.open(tmp_path, clock=clock) as store:
        answered, waiting = ask(store, subject={"n": 1}), ask(store, subject={"n": 2})
        store.write_now(lambda tx: escalations.resolve(tx, answered, option="retry", by="ada"))
        tell(store, "inbox.applied", name="old.json", by="ada", counts={})
        plan(store)

        assert [row.escalation for row in rows(store)] == [waiting] * 3
        assert plan(store) == 0


def test_the_first_time_what_came_since_whoever_drives_began_is_told(tmp_path: Path, clock: Clock) -> None:
    with fresh_store(tmp_path, clock=clock, synchronous="normal") as store:
        tell(store, "inbox.applied", name="old.json", by="ada", counts={})
        store.write_now(lease.take)
        tell(store, "inbox.applied", name="new.json", by="ada", counts={})
        ask(store)
        plan(store)

        assert told(store, "console") == [
            "DAILY question 1: Which criteria are missing?",
            "Decisions applied: new.json",
        ]
        assert plan(store) == 0


def test_a_channel_that_is_new_hears_of_what_waits_and_the_others_of_nothing(store: Store) -> None:
    ask(store)
    plan(store)
    plan(store, Channels((MAIL, URGENT, Channel("team", "slack://a/b/c"))))

    assert len(rows(store, "team")) == 1
    assert len(rows(store)) == 4


def test_thousands_of_questions_that_wait_are_a_few_rows_and_a_count(tmp_path: Path, clock: Clock) -> None:
    with Store.open(tmp_path, clock=clock, synchronous="normal") as store:
        ask_many(store, 3_000)
        plan(store)

        assert len(rows(store, "mail")) == planning.MOST_NOTICES + 1
        assert told(store)[-1] == "2,990 more notices wait"


def test_before_any_delivery_a_plan_without_channels_waits(tmp_path: Path, clock: Clock) -> None:
    with Store.open(tmp_path, clock=clock) as store:
        ask(store)

        assert store.write_now(planning.plan) == 0
        assert kinds(store)[-1] == "escalation.raised"


def test_a_plan_without_channels_takes_those_that_are_known(store: Store) -> None:
    ask(store)

    assert store.write_now(planning.plan) == 3


def test_one_transaction_plans_a_portion_and_the_next_goes_on(store: Store) -> None:
    ask_many(store, planning.MOST_NOTICES + 20)
    store.write_now(planning.plan)
    first = len(rows(store, "file"))
    store.write_now(planning.plan)

    assert (first, len(rows(store, "file"))) == (planning.MOST_NOTICES, planning.MOST_NOTICES + 20)


def test_of_several_news_about_one_question_the_last_is_told(store: Store) -> None:
    number = ask(store)
    tell(store, "escalation.escalated", escalation=number)
    tell(store, "escalation.reminded", escalation=number)
    tell(store, "escalation.reminded", escalation=number)
    plan(store)

    assert [(row.outcome, row.error) for row in rows(store, "mail")] == [
        ("suppressed", planning.TOLD_BY_ANOTHER),
        ("suppressed", planning.TOLD_BY_ANOTHER),
        (None, None),
        (None, None),
    ]
    assert [subject.partition(":")[0] for subject in told(store)] == ["Now DAILY", "Still waiting"]


def test_an_answer_by_time_out_is_told_and_one_by_a_person_is_not(store: Store) -> None:
    by_person, by_clock = ask(store, subject={"n": 1}), ask(store, subject={"n": 2})
    plan(store)
    store.write_now(lambda tx: escalations.resolve(tx, by_person, option="retry", by="ada"))
    store.write_now(lambda tx: escalations.resolve(tx, by_clock, option="retry", by="the clock", provenance="timeout"))
    plan(store)

    assert told(store)[2:] == [f"Timed out: question {by_clock}: Which criteria are missing?"]
    assert "'retry' by the clock" in rows(store, "mail")[-1].body


def test_many_events_without_news_do_not_hold_the_cursor_back(store: Store) -> None:
    store.write_now(lambda tx: [tx.event("engine.beat") for _ in range(planning.MOST_UNREAD + 50)])
    plan(store)

    row = store.read_now(lambda r: r.one(Setting.select(Setting.value).where(Setting.key == planning.CURSOR)))
    assert row is not None
    assert json.loads(row[0]) == len(kinds(store))


def test_what_is_known_of_channels_holds_no_url_and_the_journal_stays_whole(store: Store, tmp_path: Path) -> None:
    ask_many(store, 300)
    plan(store)

    content = b"".join(path.read_bytes() for path in tmp_path.glob("apm.db*"))
    assert b"s3cr3t-p4ssw0rd" not in content
    assert store.read_now(lambda r: verify(r, store.key)).is_whole


def test_a_fault_of_the_channels_is_told_in_the_house_once_a_day(store: Store, clock: Clock) -> None:
    for _ in range(3):
        store.write_now(lambda tx: planning.tell_fault(tx, "notifications.yaml:3: channels[0].url: is missing"))
    clock.now += 24 * HOUR_MS
    store.write_now(lambda tx: planning.tell_fault(tx, "notifications.yaml:3: channels[0].url: is missing"))

    assert [row.channel for row in rows(store)] == [*HOUSE, *HOUSE]
    assert "channels[0].url: is missing" in rows(store)[0].subject


def test_a_release_is_told_with_its_version_and_where_it_went_and_no_other_phase_is(store: Store) -> None:
    def work(tx: Transaction) -> None:
        here = tx.insert(Project, name="ledger", path="/p", target="main", tech="{}", settings="{}", created_at=NOON)
        tx.insert(
            WorkItem,
            project=here,
            title="Round\x1b[2J half to even",
            type="bugfix",
            tags="[]",
            origin="cli",
            created_at=NOON,
        )
        content = canonical_json({"version": {"from": "1.0.0", "to": "1.0.1"}})
        kept = {
            "type": "release.deployed",
            "digest": "d",
            "producer": "release-ops-orch",
            "content": content,
            "at": NOON,
        }
        tx.insert(Artifact, work_item=1, **kept)
        for phase in ("D1", "O1", "E1"):
            tx.event("phase.passed", work_item=1, phase=phase, round=1)

    store.write_now(work)

    assert plan(store) == 3
    assert told(store) == ["Released as 1.0.1: #1 Round half to even"]
    assert "#1 Round half to even is released as 1.0.1 into main of ledger." in rows(store, "mail")[0].body
