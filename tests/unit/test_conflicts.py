"""Conflicts: what comes first, which word settles which pair, and that every outcome names its rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import UsageError
from core.governance.conflicts import ConflictOutcome, ConflictRules, Dispute, raise_conflict
from core.governance.decisions import DOMAIN_AGENTS
from core.registry.catalog import default_path, load
from core.store import reads_escalations, reads_governance
from core.store.store import Store
from tests.fresh import fresh_store

RULES = ConflictRules.of(load(default_path()))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_store(tmp_path) as opened:
        yield opened


def differ(store: Store, first: str, second: str, topic: str, impact: int = 5, **more: Any) -> ConflictOutcome:
    dispute = Dispute((first, second), topic, impact, **more)
    return store.write_now(lambda tx: raise_conflict(tx, dispute, RULES))


@pytest.mark.parametrize(
    ("first", "second", "topic", "winner", "rule"),
    [
        ("technical", "ux", "the user experience of the wizard", "ux", "ux-wins-user-experience"),
        ("ux", "technical", "User-Experience first", "ux", "ux-wins-user-experience"),
        ("technical", "ux", "performance of the list", "technical", "technical-wins-performance"),
        ("strategy", "gtm", "positioning against rivals", "strategy", "strategy-wins-positioning"),
        ("gtm", "strategy", "Execution of the launch", "gtm", "gtm-wins-execution"),
    ],
)
def test_a_pairs_word_settles_it(store: Store, first: str, second: str, topic: str, winner: str, rule: str) -> None:
    made = differ(store, first, second, topic)

    assert (made.outcome, made.winner, made.rule, made.escalation) == ("resolved", winner, rule, None)


@pytest.mark.parametrize(
    ("first", "second", "topic"),
    [
        ("technical", "ux", "performance and user experience"),
        ("technical", "ux", "the colour of the button"),
        ("technical", "gtm", "performance"),
        ("ux", "strategy", "positioning"),
        ("technical", "ux", "superperformance"),
        ("technical", "ux", "users experience"),
    ],
)
def test_both_words_neither_or_another_pair_is_a_persons(store: Store, first: str, second: str, topic: str) -> None:
    made = differ(store, first, second, topic)

    assert (made.outcome, made.winner, made.rule, made.urgency) == ("escalated", None, "no-rule-decides", "DAILY")


@pytest.mark.parametrize(
    ("impact", "tags", "rule"),
    [(9, (), "high-impact: impact 9 is above 8"), (1, ("milestone",), "milestone: tagged milestone")],
)
def test_what_comes_first_asks_at_once_whatever_the_words(
    store: Store, impact: int, tags: tuple[str, ...], rule: str
) -> None:
    made = differ(store, "technical", "ux", "performance", impact, tags=tags)

    assert (made.outcome, made.urgency, made.rule) == ("escalated", "IMMEDIATE", rule)


def test_the_same_conflict_that_waits_is_one_question_and_one_row(store: Store) -> None:
    outcomes = {differ(store, "technical", "ux", topic) for topic in ("the  colour", "The colour", "the colour")}

    assert len(outcomes) == 1
    assert len(store.read_now(reads_governance.conflicts)) == 1


def test_the_question_offers_both_sides_and_neither_with_what_each_wants(store: Store) -> None:

    made = differ(store, "ux", "gtm", "the colour", positions={"ux": "calm blue", "gtm": "loud red"})

    asked = store.read_now(reads_escalations.escalations)[0]
    assert asked.id == made.escalation
    assert [o["key"] for o in asked.options] == ["ux", "gtm", "neither"]
    assert [o["label"] for o in asked.options][:2] == ["ux: calm blue", "gtm: loud red"]
    assert asked.recommended == "ux"


def test_what_comes_up_again_is_as_grave_as_it_ever_was_and_keeps_the_positions(store: Store) -> None:
    differ(store, "ux", "gtm", "the colour", positions={"ux": "blue", "gtm": "red"})

    again = differ(store, "gtm", "ux", "the colour", impact=9)
    last = differ(store, "ux", "gtm", "the colour", impact=2, positions={"gtm": "green"})

    (asked,) = store.read_now(reads_escalations.escalations)
    (found,) = store.read_now(reads_governance.conflicts)
    assert (again.urgency, last.urgency) == ("IMMEDIATE", "IMMEDIATE")
    assert (found.impact, found.urgency, found.positions) == (9, "IMMEDIATE", {"ux": "blue", "gtm": "green"})
    assert [o["label"] for o in asked.options][:2] == ["ux: blue", "gtm: green"]


@pytest.mark.parametrize(
    ("first", "second", "topic", "says"),
    [
        ("technical", "sales", "x", "no domain agent 'sales'"),
        ("ux", "ux", "x", "two different agents"),
        ("ux", "gtm", "  ", "needs a topic"),
    ],
)
def test_what_is_no_conflict_is_refused(store: Store, first: str, second: str, topic: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        differ(store, first, second, topic)


@given(
    st.permutations(DOMAIN_AGENTS),
    st.lists(st.sampled_from(["user experience", "performance", "positioning", "execution", "and", "price"])),
)
def test_a_winner_is_one_of_the_two_and_the_order_of_names_means_nothing(agents: list[str], words: list[str]) -> None:
    between, topic = (agents[0], agents[1]), " ".join(words)

    found, turned = RULES.settled_by(between, topic), RULES.settled_by(between[::-1], topic)

    assert found == turned
    assert found is None or found.winner in between
    assert found is None or all(
        r.winner == found.winner for r in RULES.pairs if r.between == set(between) and r.holds(topic)
    )


@pytest.mark.parametrize("first", [{"impact": 9}, {"tags": ("milestone",)}])
def test_what_a_person_is_being_asked_no_rule_settles(store: Store, first: dict[str, Any]) -> None:
    waiting = differ(store, "technical", "ux", "performance of search", **first)

    again = differ(store, "technical", "ux", "performance of search", tags=("web",))

    (asked,) = store.read_now(reads_escalations.escalations)
    (found,) = store.read_now(reads_governance.conflicts)
    assert (again, asked.count) == (waiting, 2)
    assert (found.tags, found.resolved_at) == (sorted({*first.get("tags", ()), "web"}), None)
    assert asked.details["rule"] == waiting.rule


def test_what_comes_up_again_has_the_recommendation_it_had(store: Store) -> None:
    differ(store, "ux", "gtm", "the colour", proposed="gtm")

    differ(store, "ux", "gtm", "the colour")

    (asked,) = store.read_now(reads_escalations.escalations)
    assert asked.recommended == "gtm"
