"""The briefing's six sections: what stands in them, in which order, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.governance.briefing import Briefing, keep, kept
from core.governance.briefing_document import Item, section, span
from core.governance.conflicts import Dispute, raise_conflict
from core.governance.escalations import resolve
from core.store import reads
from core.store.schema import Escalation
from tests.unit.briefing_place import DAY, HOUR, MINUTE, MORNING, RULES, Place, agents, proposal


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "state")
    yield made
    made.store.close()


def test_an_empty_workspace_has_six_sections_that_say_that_there_is_nothing(place: Place) -> None:
    found = place.brief()
    assert [s.kind for s in found.sections] == ["urgent", "milestone", "pending", "teams", "conflicts", "scope"]
    assert all(s.items == () and s.nothing for s in found.sections)
    assert (found.date, found.time) == ("2026-03-02", "09:30")


# Urgent decisions


def test_an_immediate_question_is_urgent_with_what_it_holds_up_its_time_and_its_person(place: Place) -> None:
    item = place.work_item("Add SSO")
    number = place.ask("Which store?", ago=100 * MINUTE, work_item=item, phase="D1", blocks="D1")
    place.change(Escalation, number, assigned_to="grace")
    [line] = place.section("urgent").lines
    assert line.text == (
        f"#{number} Which store? (immediate; overdue by 40 min; holds up D1 of work item {item} Add SSO;"
        " assigned to grace)"
    )
    assert line.refs == {"escalation": number, "work_item": item}


def test_a_daily_question_is_urgent_only_once_it_is_overdue(place: Place) -> None:
    late = place.ask("Late?", "DAILY", ago=27 * HOUR)
    place.ask("In time?", "DAILY", ago=HOUR)
    place.ask("For the review?", "WEEKLY", ago=30 * DAY)
    [line] = place.items("urgent")
    assert line == f"#{late} Late? (daily; overdue by 3 h)"


def test_the_most_urgent_comes_first(place: Place) -> None:
    daily = place.ask("Late", "DAILY", ago=50 * HOUR)
    second = place.ask("Due later", ago=10 * MINUTE)
    first = place.ask("Due first", ago=30 * MINUTE)
    assert [line.refs["escalation"] for line in place.section("urgent").lines] == [first, second, daily]


def test_a_question_that_somebody_has_seen_or_put_off_says_so(place: Place) -> None:
    seen, snoozed = place.ask("Seen?"), place.ask("Snoozed?")
    place.change(Escalation, seen, acknowledged_until=MORNING + HOUR, acknowledged_by="grace")
    place.change(Escalation, snoozed, snoozed_until=MORNING + 3 * HOUR)
    assert ["seen by grace" in line for line in place.items("urgent")] == [True, False]
    assert ["snoozed for 3 h" in line for line in place.items("urgent")] == [False, True]


def test_an_answered_question_is_not_urgent(place: Place) -> None:
    number = place.ask("Which?", ago=2 * HOUR)
    place.write(lambda tx: resolve(tx, number, option="yes", by="ada"))
    assert place.items("urgent") == ()


def test_urgent_questions_are_bounded_and_the_rest_is_counted(place: Place) -> None:
    for n in range(15):
        place.ask(f"Which {n}?")
    lines = place.items("urgent")
    assert len(lines) == 13
    assert lines[-1] == "and 3 more; `apm escalation list` shows them"


# Pending reviews


def test_questions_are_counted_for_the_agent_whose_they_are(place: Place) -> None:
    place.ask("One?", "DAILY", ago=5 * HOUR, chain=("master-orchestrator", "ac-writer"))
    place.ask("Two?", "DAILY", ago=30 * HOUR, chain=("definition-orch", "ac-writer"))
    place.ask("Three?", "WEEKLY", chain=("technical",))
    assert place.items("pending") == (
        "technical: 1 question, oldest 0 min",
        "ac-writer: 2 questions, oldest 30 h, 1 overdue",
    )


def test_a_conflict_s_question_is_both_agents(place: Place) -> None:
    place.ask("Who?", "DAILY", kind="conflict", chain=("planning-orch", "technical", "ux"))
    assert place.items("pending") == ("technical and ux: 1 question, oldest 0 min",)


def test_conflicts_of_the_same_two_are_counted_together_whoever_was_named_first(place: Place) -> None:
    place.ask("Who?", "DAILY", kind="conflict", chain=("technical", "ux"))
    place.ask("And here?", "DAILY", kind="conflict", chain=("ux", "technical"))
    assert place.items("pending") == ("technical and ux: 2 questions, oldest 0 min",)


def test_what_somebody_has_seen_or_put_off_does_not_wait_and_is_counted_apart(place: Place) -> None:
    place.ask("Waits?", "DAILY", ago=HOUR * 3)
    seen, snoozed = (place.ask(text, "DAILY", ago=9 * HOUR) for text in ("Seen?", "Snoozed?"))
    place.change(Escalation, seen, acknowledged_until=MORNING + HOUR, acknowledged_by="ada")
    place.change(Escalation, snoozed, snoozed_until=MORNING + HOUR)
    place.ask("Back again?", "DAILY", ago=6 * HOUR)
    place.change(Escalation, snoozed + 1, snoozed_until=MORNING - 1)
    assert place.items("pending") == ("ac-writer: 2 questions, oldest 6 h, 2 seen or put off",)


def test_undecided_proposals_are_counted_for_their_agent(place: Place) -> None:
    proposal(place)
    proposal(place, agent="ux")
    proposal(place, decided_at=MORNING, decision="approve")
    assert place.items("pending") == (
        "technical: 1 proposal about its authority",
        "ux: 1 proposal about its authority",
    )


# Conflicts resolved


def dispute(place: Place, topic: str, *, ago: int = 0) -> Any:
    found = Dispute(("technical", "ux"), topic, impact=3)
    return place.write(lambda tx: raise_conflict(tx, found, RULES), ago=ago)


def test_a_conflict_that_a_rule_resolved_is_told_with_the_rule_and_the_winner(place: Place) -> None:
    number = dispute(place, "user experience of the import").conflict
    sum_, line = place.section("conflicts").lines
    assert sum_.text == "1 resolved in 24 h: 1 by a rule"
    assert line.text == (
        "technical and ux on user experience of the import: ux prevails (rule ux-wins-user-experience)"
    )
    assert line.refs == {"conflict": number}


def test_a_conflict_that_a_person_resolved_is_told_with_the_person(place: Place) -> None:
    asked = dispute(place, "colours", ago=30 * HOUR)
    place.write(lambda tx: resolve(tx, asked.escalation, option="ux", reason="seen", by="ada"))
    sum_, line = place.items("conflicts")
    assert sum_ == "1 resolved in 24 h: 1 by a person"
    assert line == "technical and ux on colours: ux prevails (ada, asked by rule no-rule-decides)"


def test_a_conflict_that_waits_is_open_and_one_whose_question_is_gone_is_not(place: Place) -> None:
    asked = dispute(place, "colours", ago=3 * HOUR)
    gone = dispute(place, "fonts", ago=3 * HOUR)
    place.change(Escalation, gone.escalation, withdrawn_at=MORNING)
    sum_, line = place.section("conflicts").lines
    assert sum_.text == "1 open now"
    assert line.text.endswith(f"open (#{asked.escalation}, for 3 h, asked by rule no-rule-decides)")
    assert line.refs == {"conflict": asked.conflict, "escalation": asked.escalation}


def test_a_conflict_that_was_resolved_earlier_or_by_a_clock_ahead_is_not_told(place: Place) -> None:
    dispute(place, "user experience of the import", ago=25 * HOUR)
    dispute(place, "user experience of the menu", ago=-30 * DAY)
    assert place.items("conflicts") == ()


# Scope opportunities


def test_a_proposal_has_its_figures_and_the_one_that_saves_most_comes_first(place: Place) -> None:
    small = proposal(place)
    large = proposal(place, agent="ux", kind="layout", hours_saved_per_week=4.0, clarification="Why?")
    assert place.items("scope") == (
        "ux: expansion of layout (23 of 24 accepted, lower bound 0.80, 4.0 h a week, risk low, recommended: approve,"
        f" waits for a clarification; proposal {large})",
        "technical: expansion of caching (23 of 24 accepted, lower bound 0.80, 1.5 h a week, risk low,"
        f" recommended: approve; proposal {small})",
    )


def test_a_proposal_without_figures_has_none(place: Place) -> None:
    proposal(place, change="contraction", n=0, accepted=0, lower_bound=None, hours_saved_per_week=None)
    assert place.items("scope") == ("technical: contraction of caching (risk low, recommended: approve; proposal 1)",)


def test_a_decided_proposal_is_no_opportunity(place: Place) -> None:
    proposal(place, decided_at=MORNING, decision="reject")
    assert place.items("scope") == ()


# The whole


HOSTILE = "a\x1b]52;c;eA==\x07\u202eb\nc\x00[red]" + "x" * 5_000


def test_hostile_text_stays_on_its_line(place: Place) -> None:
    agents(place)
    item = place.work_item(HOSTILE[:300], "milestone")
    place.ask(HOSTILE, work_item=item, blocks="D1", chain=(HOSTILE,))
    place.change(Escalation, 1, assigned_to=HOSTILE)
    dispute(place, HOSTILE)
    proposal(place, kind=HOSTILE, recommendation=HOSTILE)
    lines = [line for s in place.brief().sections for line in s.items]
    assert len(lines) >= 6
    assert all(line.isprintable() and len(line) <= 400 for line in lines)
    assert not any("\u202e" in line for line in lines)


@settings(max_examples=200)
@given(st.text())
def test_any_text_makes_one_printable_line(text: str) -> None:
    line = Item(text).text
    assert "\n" not in line
    assert "\x1b" not in line
    assert len(line) <= 400


@given(st.integers(-(10**12), 10**14))
def test_any_span_is_a_number_and_a_unit(milliseconds: int) -> None:
    number, unit = span(milliseconds).split()
    assert int(number) >= 0
    assert unit in ("min", "h", "d")


@settings(max_examples=50)
@given(st.lists(st.tuples(st.text(), st.dictionaries(st.text(), st.integers())), max_size=5))
def test_a_briefing_that_was_written_as_json_is_read_back(lines: list[tuple[str, dict[str, int]]]) -> None:
    found = Briefing(MORNING, (section("urgent", "Urgent decisions", [Item(text, refs) for text, refs in lines]),))
    assert Briefing.from_json(found.to_json(), MORNING) == found


def test_a_kept_briefing_is_found_again_with_its_event(place: Place) -> None:
    place.ask("Which?")
    found = place.brief()
    number = place.write(lambda tx: keep(tx, found, send=True))
    assert place.store.read_now(lambda r: kept(r, number)) == found
    event = place.store.read_now(lambda r: reads.events(r, last=1))[0]
    assert (event.kind, event.payload["briefing"], event.payload["send"]) == ("briefing.made", number, True)


def test_a_number_that_is_none_is_no_briefing(place: Place) -> None:
    assert place.store.read_now(lambda r: kept(r, 7)) is None
