"""Owners' decisions on one topic: who is in dispute with whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.governance import authority, disputes, reversal
from core.governance.conflicts import ConflictRules
from core.governance.decisions import Choice, DecisionOutcome
from core.governance.performance import performance
from core.registry.catalog import default_path, load
from core.store import reads_governance
from tests.unit.scope_place import OWN, Place, opened

RULES = ConflictRules.of(load(default_path()))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    with closing(made.store):
        yield made


def decided(place: Place, agent: str, kind: str, recommended: str, topic: str = "cache") -> DecisionOutcome:
    options = ({"key": "A", "label": "A"}, {"key": "B", "label": "B"})
    choice = Choice(agent, kind, f"{agent}?", 5, options=options, recommended=recommended, topic=topic)
    made: DecisionOutcome = place.write(lambda tx: disputes.decide(tx, choice, RULES))
    return made


def own_kind(place: Place, agent: str) -> str:
    """One that the agent decides by its authority."""
    kinds = place.read(lambda r: authority.kinds(r, agent))
    return next(kind.key for kind in kinds if kind.mode == "autonomous")


@pytest.mark.parametrize(("instead", "conflicts"), [(None, 0), ("B", 0), ("A", 1)])
def test_nobody_argues_for_what_was_reversed_in_favour_of_none(
    place: Place, instead: str | None, conflicts: int
) -> None:
    first = decided(place, "technical", OWN, "B" if instead == "A" else "A")
    place.write(lambda tx: reversal.reverse(tx, first.decision, by="ada", reason="it is wrong", choice=instead))

    decided(place, "ux", own_kind(place, "ux"), "B")

    assert len(place.read(reads_governance.conflicts)) == conflicts


@pytest.mark.parametrize(("agent", "charged"), [("technical", 1), ("ux", 0)])
def test_who_lost_a_conflict_is_not_charged_with_the_reversal_of_what_won(
    place: Place, agent: str, charged: int
) -> None:
    made = {
        "technical": decided(place, "technical", OWN, "A", topic="performance"),
        "ux": decided(place, "ux", own_kind(place, "ux"), "B", topic="performance"),
    }
    assert place.decision(made[agent].decision).choice == "A"

    place.write(lambda tx: reversal.reverse(tx, made[agent].decision, by="ada", reason="it is wrong"))

    assert place.read(lambda r: performance(r, agent)).reversed == charged
