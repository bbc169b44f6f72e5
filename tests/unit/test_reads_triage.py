"""Counts of the inbox, answers of today, and what a bulk answer reads, from a real database."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from core.contract import UsageError
from core.governance import escalations, life
from core.store import reads, reads_team, reads_triage, reads_windows, states
from core.store.reads_triage import TriageCounts
from tests.app.inbox import ask
from tests.app.seeding import HOUR, MINUTE, MORNING, SeededWorkspace
from tui.questions import sections
from tui.questions.sections import HOUSE, Section, count_of

DAY = 24 * HOUR


@pytest.fixture
def made(tmp_path: Path) -> Iterator[SeededWorkspace]:
    workspace = SeededWorkspace(tmp_path)
    yield workspace
    workspace.close()


def counts(made: SeededWorkspace, person: str = "ada") -> TriageCounts:
    return made.store.read_now(lambda r: reads_triage.triage_counts(r, person, MORNING))


def test_an_empty_inbox_counts_nothing(made: SeededWorkspace) -> None:
    assert counts(made) == TriageCounts()


def test_each_state_is_counted_where_it_belongs(made: SeededWorkspace) -> None:
    made.at(25 * HOUR, lambda tx: ask(tx, "late"))
    made.at(MINUTE, lambda tx: [ask(tx, text) for text in ("open", "away", "seen", "handed", "gone")])
    made.store.write_now(lambda tx: ask(tx, "at once", urgency="IMMEDIATE"))
    made.store.write_now(lambda tx: life.snooze(tx, 3, until=MORNING + 2 * HOUR, by="ada"))
    made.store.write_now(lambda tx: life.acknowledge(tx, 4, by="ada", minutes=60))
    made.store.write_now(lambda tx: life.assign(tx, 5, to="ada", by="grace"))
    made.store.write_now(lambda tx: escalations.withdraw(tx, 6, why="nobody asks any more"))
    found = counts(made)
    assert (found.everything, found.needs_me, found.overdue, found.immediate) == (6, 4, 1, 1)
    assert (found.snoozed, found.seen, found.handed_to_me) == (1, 1, 1)
    assert found.next_back == MORNING + 2 * HOUR
    assert counts(made, "grace").handed_to_me == 0


def test_what_was_handed_to_somebody_else_needs_them_until_it_is_late_or_given_back(made: SeededWorkspace) -> None:
    asked = made.store.write_now(lambda tx: ask(tx, "handed"))
    made.store.write_now(lambda tx: life.assign(tx, asked, to="bea", by="ada"))

    def needed(person: str, now: int = MORNING) -> tuple[int, ...]:
        header = made.store.read_now(lambda r: reads_team.waiting(r, now, person))
        section = made.store.read_now(lambda r: reads_triage.triage_counts(r, person, now))
        listed = made.store.read_now(
            lambda r: reads_windows.escalation_order(r, "needs-me", (), (), now, person=person)
        )
        return header.needs_me, section.needs_me, len(listed)

    assert (needed("ada"), needed("bea")) == ((0, 0, 0), (1, 1, 1))
    due = made.store.read_now(lambda r: reads_windows.next_change(r, MORNING))
    assert due == MORNING + DAY
    assert needed("ada", due) == (1, 1, 1)
    made.store.write_now(lambda tx: life.assign(tx, asked, to="ada", by="bea"))
    assert (needed("ada"), needed("bea")) == ((1, 1, 1), (0, 0, 0))


def test_needs_me_is_what_the_one_predicate_says(made: SeededWorkspace) -> None:
    made.at(30 * HOUR, lambda tx: [ask(tx, f"{n}?") for n in range(6)])
    made.at(29 * HOUR, lambda tx: life.snooze(tx, 1, until=MORNING, by="ada"))
    made.at(29 * HOUR, lambda tx: life.snooze(tx, 2, until=MORNING + 1, by="ada"))
    made.at(30 * MINUTE, lambda tx: life.acknowledge(tx, 3, by="ada", minutes=30))
    made.at(30 * MINUTE, lambda tx: life.acknowledge(tx, 4, by="ada", minutes=31))
    made.store.write_now(lambda tx: life.merge(tx, [5], into=6, by="ada"))
    rows = [made.store.read_now(partial(reads.escalation, escalation=n)) for n in range(1, 7)]
    assert counts(made).needs_me == sum(states.needs_me(row, MORNING) for row in rows if row is not None)


def test_answers_of_today_are_counted_by_what_they_came_from(made: SeededWorkspace) -> None:
    made.at(DAY, lambda tx: escalations.resolve(tx, ask(tx, "yesterday"), option="approve", by="ada"))
    for n, (by, provenance) in enumerate((("ada", "human"), ("technical", "rule"), ("time-out", "timeout"))):
        asked = made.store.write_now(partial(ask, text=f"{n}?"))
        answer = partial(escalations.resolve, escalation=asked, option="approve", by=by, provenance=provenance)
        made.store.write_now(answer)
    undone = made.store.write_now(lambda tx: ask(tx, "undone"))
    made.store.write_now(lambda tx: escalations.resolve(tx, undone, option="approve", by="ada"))
    made.store.write_now(lambda tx: life.undo(tx, undone, by="ada"))
    found = counts(made)
    assert (found.by_person, found.by_rule, found.by_time_out, found.answered) == (1, 1, 1, 3)


def test_answers_by_a_clock_that_was_ahead_are_not_of_today(made: SeededWorkspace) -> None:
    made.at(-30 * DAY, lambda tx: escalations.resolve(tx, ask(tx, "ahead"), option="approve", by="ada"))
    assert (counts(made).by_person, answered_today(made)) == (0, ())
    made.store.write_now(lambda tx: escalations.resolve(tx, ask(tx, "today"), option="approve", by="ada"))
    assert (counts(made).by_person, answered_today(made)) == (1, (2,))


def answered_today(made: SeededWorkspace) -> tuple[int, ...]:
    return made.store.read_now(lambda r: reads_triage.answered_today(r, MORNING, "human"))


def test_questions_answered_with_another_one_are_no_answers_by_rule(made: SeededWorkspace) -> None:
    made.store.write_now(lambda tx: [ask(tx, "one"), ask(tx, "two")])
    made.store.write_now(lambda tx: life.merge(tx, [2], into=1, by="ada"))
    made.store.write_now(lambda tx: escalations.resolve(tx, 1, option="approve", by="ada"))
    assert (counts(made).by_person, counts(made).by_rule) == (1, 0)


def test_an_answer_names_its_option_and_whether_it_was_recommended(made: SeededWorkspace) -> None:
    made.store.write_now(lambda tx: [ask(tx, "one"), ask(tx, "two")])
    made.store.write_now(lambda tx: escalations.resolve(tx, 1, option="approve", by="ada"))
    made.store.write_now(lambda tx: escalations.resolve(tx, 2, option="reject", by="grace", reason="no"))
    numbers = answered_today(made)
    found = made.store.read_now(lambda r: reads_triage.answered(r, numbers))
    assert [(found[n].question, found[n].label, found[n].by, found[n].is_recommended) for n in numbers] == [
        ("two", "Reject", "grace", False),
        ("one", "Approve", "ada", True),
    ]


def test_a_bulk_answer_reads_no_details(made: SeededWorkspace) -> None:
    made.store.write_now(lambda tx: ask(tx, "one", details={"log": "x" * 10_000}, missing=("this",)))
    [row] = made.store.read_now(lambda r: reads_triage.asked(r, [1, 2])).values()
    full = made.store.read_now(lambda r: reads.escalation(r, 1))
    assert full is not None
    assert (row.details, row.missing, row.chain) == ({}, [], [])
    assert (row.options, row.payload_digest, row.due_at) == (full.options, full.payload_digest, full.due_at)


def test_more_numbers_than_a_statement_takes(made: SeededWorkspace) -> None:
    count = 2 * reads_triage.CHUNK + 1
    made.store.write_now(lambda tx: [ask(tx, f"{n}?") for n in range(count)])
    numbers = list(range(1, count + 1))
    assert len(made.store.read_now(lambda r: reads_triage.asked(r, numbers))) == count
    assert len(made.store.read_now(lambda r: reads_triage.digests(r, numbers))) == count


# Sections


def kept(made: SeededWorkspace) -> list[tuple[str, str, str]]:
    found = made.store.read_now(sections.read_kept)
    return [(s.title, s.base, s.words) for s in found]


def keep(made: SeededWorkspace, name: str, words: str, shown: Section = HOUSE[0]) -> None:
    made.store.write_now(lambda tx: sections.keep(tx, name, shown, words, by="ada"))


def test_every_section_of_the_house_is_counted() -> None:
    assert [count_of(section, TriageCounts()) for section in HOUSE] == [0] * len(HOUSE)


def test_a_kept_section_has_a_name_a_base_and_words(made: SeededWorkspace) -> None:
    keep(made, "  docs \x1b[2J ", "doc-toucher   !T1")
    keep(made, "late docs", "doc-toucher", HOUSE[1])
    assert kept(made) == [("docs", "needs-me", "doc-toucher !T1"), ("late docs", "overdue", "doc-toucher")]


def test_a_kept_section_can_be_narrowed_further_and_stays_on_its_base(made: SeededWorkspace) -> None:
    keep(made, "docs", "doc", HOUSE[1])
    [shown] = made.store.read_now(sections.read_kept)
    keep(made, "docs 1", "doc T1", shown)
    assert kept(made)[1] == ("docs 1", "overdue", "doc T1")


def test_the_same_name_replaces(made: SeededWorkspace) -> None:
    keep(made, "docs", "doc")
    keep(made, "docs", "README")
    assert kept(made) == [("docs", "needs-me", "README")]


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [("", "doc", "needs a name"), ("overdue", "doc", "take another name"), ("docs", "  ", "write one with /")],
)
def test_what_is_no_section_is_refused(made: SeededWorkspace, name: str, words: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        keep(made, name, words)


def test_there_are_only_so_many(made: SeededWorkspace) -> None:
    for n in range(sections.MOST):
        keep(made, f"section {n}", "doc")
    keep(made, "section 0", "again")
    with pytest.raises(UsageError, match="remove one with X"):
        keep(made, "one too many", "doc")


def test_dropping_one_leaves_the_others_and_is_on_record(made: SeededWorkspace) -> None:
    keep(made, "docs", "doc")
    keep(made, "late", "doc", HOUSE[1])
    made.store.write_now(lambda tx: sections.drop(tx, "docs", by="ada"))
    assert [title for title, _, _ in kept(made)] == ["late"]
    kinds = [event.kind for event in made.store.read_now(lambda r: reads.events(r))]
    assert kinds == ["triage.section_kept", "triage.section_kept", "triage.section_dropped"]
    with pytest.raises(UsageError, match="no kept section"):
        made.store.write_now(lambda tx: sections.drop(tx, "docs", by="ada"))
