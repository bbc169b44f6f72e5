"""What the briefing says of the work: the milestone, other work, and the teams of agents."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.agents.session import Usage
from core.contract import canonical_json
from core.governance import budgets
from core.governance.briefing import briefing
from core.governance.budgets import Spender
from core.governance.decisions import Choice, make_decision
from core.governance.shared_context import export
from core.registry.importing import MEMORY
from core.store.archiving import archive_some
from core.store.rows import LiveRow
from core.store.schema import Authority, Counter, DecisionKind, Delegation, Setting
from tests.unit.briefing_place import DAY, HOUR, MORNING, Place, agents


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "state")
    yield made
    made.store.close()


# Milestone progress


def milestone(place: Place, tag: str, title: str) -> None:
    memory = {"sections": {"defaults": {"milestone": {"tag": tag, "title": title}}}}
    place.insert(Setting, key=MEMORY, value=canonical_json(memory))


def test_the_milestone_gives_its_title_and_its_tag(place: Place) -> None:
    milestone(place, "day_3", "Day 3")
    assert place.section("milestone").title == "Day 3 progress"
    assert "carries the tag day_3" in place.section("milestone").nothing


def test_a_title_may_be_given(place: Place) -> None:
    found = place.store.read_now(lambda r: briefing(r, MORNING, milestone="Beta"))
    assert found.sections[1].title == "Beta progress"


def test_the_milestone_does_not_go_back_when_its_work_is_archived(place: Place) -> None:
    work: list[tuple[tuple[str, ...], dict[str, Any]]] = [
        (("milestone",), {"released_at": MORNING - 9 * DAY, "closed_at": MORNING - 8 * DAY}),
        (("Milestone", "docs"), {"closed_at": MORNING - 8 * DAY}),
        (("docs",), {"closed_at": MORNING - 8 * DAY}),
        (("milestone",), {"cancelled_at": MORNING - 8 * DAY}),
        (("milestone",), {}),
    ]
    for tags, ends in work:
        place.work_item("It", *tags, ago=9 * DAY, **ends)
    exported = partial(export, milestone={"tag": "milestone", "title": "Milestone"})
    tally = place.items("milestone")[0]
    counts = place.store.read_now(exported)["workspace"]["work_items"]
    assert tally == "2 of 3 released or closed; now 1 ready"

    assert archive_some(place.store, MORNING - DAY, "2026-01-31") is not None

    assert place.items("milestone")[0] == tally
    assert place.store.read_now(exported)["workspace"]["work_items"] == counts


def test_work_items_of_the_milestone_are_counted_by_their_state(place: Place) -> None:
    place.work_item("Out", "milestone", released_at=MORNING - 3 * DAY)
    place.work_item("Closed", "milestone", released_at=MORNING - 3 * DAY, closed_at=MORNING - 2 * DAY)
    running = place.work_item("Runs", "milestone")
    waiting = place.work_item("Waits", "milestone")
    place.work_item("New", "milestone", is_accepted=False)
    place.work_item("Cancelled", "milestone", cancelled_at=MORNING - 3 * DAY)
    question = place.ask("Which?", work_item=waiting, blocks="P1")
    place.live = LiveRow(True, 1, (running,), ())
    tally, *lines = place.items("milestone")
    assert tally == "2 of 5 released or closed; now 1 running, 1 waiting, 1 proposed"
    assert lines == [
        f"{waiting} Waits: waiting, held up by #{question}",
        f"{running} Runs: running",
        "5 New: proposed, not accepted yet",
    ]


def test_a_work_item_of_the_milestone_refers_to_itself_and_to_what_holds_it_up(place: Place) -> None:
    item = place.work_item("Waits", "milestone")
    question = place.ask("Which?", work_item=item, blocks="P1")
    assert place.section("milestone").lines[1].refs == {"work_item": item, "escalation": question}


def test_a_failed_work_item_comes_first_and_a_paused_one_says_so(place: Place) -> None:
    paused = place.work_item("Paused", "milestone", paused_at=MORNING)
    failed = place.work_item("Broken", "milestone", failed_at=MORNING - 3 * DAY)
    assert place.items("milestone")[1:] == (f"{failed} Broken: failed", f"{paused} Paused: paused")


@pytest.mark.parametrize("tag", ["milestones", "a milestone", 'x"milestone"y', "mile_tone", "%"])
def test_only_the_very_tag_counts(place: Place, tag: str) -> None:
    place.work_item("Other", tag)
    assert place.items("milestone") == ("No work item carries the tag milestone.", "Other work now: 1 ready")


def test_a_tag_counts_in_any_case_as_the_rules_have_it(place: Place) -> None:
    milestone(place, "día_3", "Día 3")
    for tag in ("día_3", "Día_3", "DÍA_3"):
        place.work_item(tag, "x", tag)
    tally, *lines = place.items("milestone")
    assert tally == "0 of 3 released or closed; now 3 ready"
    assert lines == ["1 día_3: ready", "2 Día_3: ready", "3 DÍA_3: ready"]


def test_a_tag_with_wildcards_is_itself(place: Place) -> None:
    milestone(place, "day_3", "Day 3")
    place.work_item("Not this one", "dayx3")
    place.work_item("This one", "x", "day_3")
    assert place.items("milestone")[0] == "0 of 1 released or closed; now 1 ready"


def test_other_work_is_one_line_and_what_ended_in_24_h_another(place: Place) -> None:
    place.work_item("Goes on", "milestone")
    place.work_item("Beside", is_accepted=False)
    out = place.work_item("Out", released_at=MORNING - HOUR)
    broken = place.work_item("Broken", failed_at=MORNING - 2 * HOUR)
    place.work_item("Long out", released_at=MORNING - 25 * HOUR)
    assert place.items("milestone")[2:] == (
        "Other work now: 1 proposed",
        f"All work in 24 h: 1 released ({out} Out); 1 failed ({broken} Broken)",
    )


def test_work_items_of_the_milestone_are_bounded_and_the_rest_is_counted(place: Place) -> None:
    for n in range(11):
        place.work_item(f"Part {n}", "milestone")
    lines = place.items("milestone")
    assert len(lines) == 10
    assert lines[-1] == "and 3 more; `apm work-item list` shows them"


# Agent teams


def counter(place: Place, agent: str, day: int, runs: int, failures: int = 0, cost: float = 0.0) -> None:
    place.write(
        lambda tx: tx.insert(
            Counter, agent=agent, day=MORNING // DAY - day, runs=runs, failures=failures, cost=cost, last_at=1
        )
    )


def delegation(place: Place, agent: str, number: int, *, ago: int, status: str = "SUCCESS") -> None:
    def work(tx: Any) -> None:
        tx.insert(
            Delegation,
            work_item=number,
            phase="D1",
            round=1,
            agent=agent,
            subject="",
            status=status,
            runtime="tool",
            request_digest="",
            at=tx.now,
            milliseconds=5,
            event=1,
        )
        tx.event("seeded")

    place.write(work, ago=ago)


def test_a_phase_s_team_tells_what_runs_from_what_was_done_in_each_window(place: Place) -> None:
    agents(place)
    counter(place, "ac-writer", 0, 9, failures=1, cost=0.421)
    counter(place, "ac-writer", 1, 7, cost=3.0)
    delegation(place, "ac-writer", 1, ago=25 * HOUR)
    delegation(place, "ac-writer", 2, ago=20 * HOUR, status="FAILURE")
    delegation(place, "ac-writer", 3, ago=HOUR)
    place.live = LiveRow(True, 1, (3,), ({"agent": "ac-writer", "phase": "D1", "work_item": 3},))
    assert place.items("teams") == (
        "D1 Definition: 1 running now; 9 delegations today (UTC), 1 failed, $0.42; 2 in 24 h, 1 failed",
    )


def paid(place: Place, agent: str, tokens: int, dollars: float | None) -> None:
    def work(tx: Any) -> None:
        spender = Spender(1, "D1", 1, agent)
        held = budgets.reserve(tx, spender, {}, "local", "m", tokens, dollars)
        budgets.settle(tx, spender, {}, held, Usage(input=tokens, dollars=dollars))

    place.write(work)


def test_what_models_cost_is_told_by_team_and_of_the_day_s_budget(place: Place) -> None:
    agents(place)
    rules = {"day": {"dollars": 5.0, "tokens": None}}
    memory = canonical_json({"sections": {"defaults": {"budgets": rules}}})
    place.insert(Setting, key=MEMORY, value=memory)
    paid(place, "ac-writer", 1_000, 0.5)
    paid(place, "code-implementer", 21_400, None)
    running = Spender(1, "I1", 1, "test-implementer")
    place.write(lambda tx: budgets.reserve(tx, running, {}, "local", "m", 9_000, 0.7))
    assert place.items("teams") == (
        "D1 Definition: 0 delegations today (UTC), $0.50; 0 in 24 h",
        "Other agents: 0 delegations today (UTC), 21,400 tokens without a price; 0 in 24 h",
        "Models today (UTC): $0.50 of $5.00 (10 %), 22,400 tokens in 3 calls; 1 call without a price",
    )


def test_without_a_limit_the_day_s_cost_says_so(place: Place) -> None:
    agents(place)
    paid(place, "ac-writer", 1_000, 0.004)
    told = place.items("teams")[-1]
    assert told == "Models today (UTC): $0.0040, 1,000 tokens in 1 call; no budget limits the day"


def test_the_window_survives_a_clock_that_was_put_back(place: Place) -> None:
    agents(place)
    delegation(place, "ac-writer", 1, ago=50 * HOUR)
    delegation(place, "ac-writer", 2, ago=2 * HOUR)
    delegation(place, "ac-writer", 3, ago=26 * HOUR)
    delegation(place, "ac-writer", 4, ago=HOUR)
    assert place.items("teams") == ("D1 Definition: 0 delegations today (UTC); 2 in 24 h",)


def test_what_a_clock_ahead_has_written_is_not_of_the_last_24_h(place: Place) -> None:
    agents(place)
    counter(place, "ac-writer", -30, 5, cost=2.0)
    delegation(place, "ac-writer", 1, ago=-30 * DAY)
    decide(place, "caching", ago=-30 * DAY)
    place.work_item("Out", released_at=MORNING + 30 * DAY)
    assert place.items("teams") == ()
    assert not any("in 24 h" in line for line in place.items("milestone"))


def decide(place: Place, kind: str, *, ago: int = 0) -> None:
    choice = Choice(agent="technical", kind=kind, question=f"{kind} {ago}", impact=3)
    place.write(lambda tx: make_decision(tx, choice), ago=ago)


def test_a_domain_agent_tells_what_it_decided_by_itself_and_what_it_escalated(place: Place) -> None:
    agents(place)
    place.insert(DecisionKind, agent="technical", key="caching", title="Caching", impact=3, reversible=True)
    place.insert(Authority, agent="technical", kind="caching", mode="autonomous", at=1, by="ada", reason="r")
    for kind, ago in (("caching", HOUR), ("caching", 2 * HOUR), ("unknown", HOUR), ("caching", 25 * HOUR)):
        decide(place, kind, ago=ago)
    [line] = place.section("teams").lines
    assert line.text == "technical: 2 decided by itself, 1 escalated in 24 h"
    assert line.refs == {"agent": "technical"}


def test_agents_of_no_phase_stand_together(place: Place) -> None:
    agents(place)
    counter(place, "evidence-writer", 0, 4)
    counter(place, "somebody-who-left", 0, 1)
    assert place.items("teams") == ("Other agents: 5 delegations today (UTC); 0 in 24 h",)
