"""make_decision: its rules in their order, and authority as the newest grant says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import UsageError
from core.governance import authority, escalations
from core.governance.decisions import Choice, DecisionOutcome, DecisionRules, FirstRule, make_decision
from core.registry.catalog import default_path, load
from core.store import reads, reads_escalations
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import fresh_workspace

OPTIONS = (
    {"key": "approve", "label": "Approve", "consequence": "it is built"},
    {"key": "reject", "label": "Reject", "consequence": "it is not"},
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(fresh_workspace(tmp_path) / "state") as opened:
        yield opened


def grant(tx: Transaction, kind: str, mode: Any) -> int:
    return authority.grant(tx, "technical", kind, mode, by="ada", reason="first")


def decide(store: Store, **changes: Any) -> DecisionOutcome:
    facts: dict[str, Any] = {
        "agent": "technical",
        "kind": "api_endpoints",
        "question": "Add the option --fill?",
        "impact": 4,
        "options": OPTIONS,
        "recommended": "approve",
    }
    return store.write_now(lambda tx: make_decision(tx, Choice(**{**facts, **changes})))


@pytest.mark.parametrize(("impact", "outcome"), [(5, "decided"), (6, "escalated")])
def test_what_comes_first_is_what_the_file_says(store: Store, impact: int, outcome: str) -> None:
    rules = DecisionRules((FirstRule("cautious", "DAILY", 5),), "day_3")
    choice = Choice("technical", "api_endpoints", "Add the option --fill?", impact, OPTIONS, "approve", ("milestone",))

    made = store.write_now(lambda tx: make_decision(tx, choice, rules))

    assert made.outcome == outcome
    assert (made.rule == "cautious: impact 6 is above 5") == (outcome == "escalated")


def test_the_rules_of_the_file_that_comes_with_apm() -> None:
    assert DecisionRules.of(load(default_path())) == DecisionRules()


@pytest.mark.parametrize(
    ("changes", "outcome", "urgency", "rule"),
    [
        ({}, "decided", None, "authority: technical decides api_endpoints"),
        ({"impact": 8}, "decided", None, "authority"),
        ({"impact": 9}, "escalated", "IMMEDIATE", "impact"),
        ({"tags": ("milestone",)}, "escalated", "IMMEDIATE", "milestone"),
        ({"tags": ("Milestone",)}, "escalated", "IMMEDIATE", "milestone"),
        ({"kind": "security"}, "escalated", "DAILY", "for a human"),
        ({"kind": "naming_of_cats"}, "escalated", "DAILY", "no list"),
        ({"agent": "ux"}, "escalated", "DAILY", "no list"),
    ],
)
def test_what_decides(store: Store, changes: dict[str, Any], outcome: str, urgency: str | None, rule: str) -> None:
    made = decide(store, **changes)

    asked = store.read_now(reads_escalations.escalations)
    assert made.outcome == outcome
    assert rule in made.rule
    assert [e.urgency for e in asked] == ([urgency] if urgency else [])


def test_a_decision_made_is_the_recommended_one_and_names_its_grant(store: Store) -> None:
    decide(store)

    made = store.read_now(reads.decisions)[0]
    assert (made.choice, made.provenance, made.outcome) == ("approve", "rule", "decided")


def test_the_answer_of_a_human_settles_an_escalated_decision(store: Store) -> None:
    escalation = decide(store, kind="security").escalation
    assert escalation is not None

    store.write_now(lambda tx: escalations.resolve(tx, escalation, option="reject", reason="too wide", by="ada"))

    made = store.read_now(reads.decisions)[0]
    assert (made.choice, made.provenance, made.decided_at is not None) == ("reject", "human", True)


def test_the_same_choice_raised_again_has_one_outcome(store: Store) -> None:
    assert decide(store, kind="security", work_item=7) == decide(store, kind="security", work_item=7)
    assert len(store.read_now(reads.decisions)) == 1


def test_asked_from_outside_again_it_joins_the_open_question(store: Store) -> None:
    first, second = decide(store, kind="security"), decide(store, kind="security")

    assert (first.escalation, first.decision) == (second.escalation, second.decision)
    assert store.read_now(reads_escalations.escalations)[0].count == 2


def test_asked_from_outside_again_it_is_decided_by_the_authority_of_now(store: Store) -> None:
    decide(store, kind="api_endpoints")
    store.write_now(lambda tx: grant(tx, "api_endpoints", "escalate"))

    assert decide(store, kind="api_endpoints").outcome == "escalated"


def test_a_new_grant_counts_at_once_and_the_old_one_stays_on_record(store: Store) -> None:
    store.write_now(
        lambda tx: authority.grant(
            tx, "technical", "external_service", "autonomous", by="ada", reason="20 of 20 accepted"
        )
    )

    assert decide(store, kind="external_service").outcome == "decided"
    current = store.read_now(lambda r: authority.in_force(r, "technical", "external_service"))
    assert current is not None
    assert (current.by, current.mode) == ("ada", "autonomous")


def test_nobody_grants_in_the_file_s_name(store: Store) -> None:
    with pytest.raises(UsageError, match="name the person who decides this"):
        store.write_now(lambda tx: authority.grant(tx, "technical", "x", "autonomous", by=" agents.yaml ", reason="r"))


def test_a_recommendation_that_is_not_offered_falls_back_to_the_first_option(store: Store) -> None:
    escalation = decide(store, kind="security", recommended="dance").escalation
    assert escalation is not None

    asked = store.read_now(lambda r: reads.escalation(r, escalation))
    assert asked is not None
    assert asked.recommended == "approve"


@pytest.mark.parametrize("changes", [{"impact": 9}, {"tags": ("milestone",)}])
@pytest.mark.parametrize("work_item", [None, 7])
def test_a_choice_of_more_weight_is_another_choice(
    store: Store, changes: dict[str, Any], work_item: int | None
) -> None:
    assert decide(store, work_item=work_item).outcome == "decided"

    assert decide(store, work_item=work_item, **changes).outcome == "escalated"


def test_outside_of_work_items_the_authority_of_now_decides(store: Store) -> None:
    decide(store)
    store.write_now(lambda tx: grant(tx, "api_endpoints", "escalate"))

    assert decide(store).outcome == "escalated"


def test_an_open_question_counts_how_often_it_came_up_and_takes_the_greater_urgency(store: Store) -> None:
    first = decide(store, kind="security").escalation
    assert first is not None
    assert decide(store, kind="security").escalation == first
    assert decide(store, kind="security", impact=9).escalation == first

    asked = store.read_now(lambda r: reads.escalation(r, first))
    assert asked is not None
    assert (asked.count, asked.urgency) == (3, "IMMEDIATE")
    store.write_now(lambda tx: escalations.resolve(tx, first, option="approve", by="ada"))
    assert {d.choice for d in store.read_now(reads.decisions)} == {"approve"}


@pytest.mark.parametrize("first", [{"impact": 9}, {"tags": ("milestone",)}])
def test_what_a_person_is_being_asked_is_not_decided_by_its_lesser_self(store: Store, first: dict[str, Any]) -> None:
    waiting = decide(store, **first)

    again = [decide(store, impact=impact) for impact in (3, 4, 5)][-1]

    (asked,) = store.read_now(reads_escalations.escalations)
    assert (again.outcome, again.escalation, asked.count) == ("escalated", waiting.escalation, 4)
    assert (asked.urgency, asked.details["rule"]) == ("IMMEDIATE", waiting.rule)
    assert asked.details["impact"] == first.get("impact", 5)
    store.write_now(lambda tx: escalations.resolve(tx, asked.id, option="reject", reason="no", by="ada"))
    assert {d.choice for d in store.read_now(reads.decisions)} == {"reject"}


def test_once_it_is_answered_the_authority_decides_again(store: Store) -> None:
    escalation = decide(store, impact=9).escalation
    assert escalation is not None
    store.write_now(lambda tx: escalations.resolve(tx, escalation, option="approve", by="ada"))

    assert decide(store).outcome == "decided"
